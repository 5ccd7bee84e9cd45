/** DNS SRV records (RFC 2782) of both XMPP client services: which are usable, and in which order to try them. Pure. */

export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** As DNS has it, unchecked; "" stands for ".", a service that is not offered. */
  readonly target: string;
}

export interface ServiceRecord extends SrvRecord {
  readonly tls: "starttls" | "direct";
}

/** A zone may list thousands; a login tries no more than these. */
export const maxTargets = 16;

/**
 * The usable records, each server once: by ascending priority, and weighted random within one priority; at most
 * `maxTargets`. The records of both services are one list (XEP-0368 section 3).
 * @param random as Math.random
 */
export function orderRecords(records: readonly ServiceRecord[], random: () => number): readonly ServiceRecord[] {
  const byPriority = Map.groupBy(withoutRepeats(records.filter(isUsable)), (record) => record.priority);
  const ordered: ServiceRecord[] = [];
  for (const [, group] of [...byPriority].sort(([a], [b]) => a - b)) {
    for (let pick = takeWeighted(group, random); pick !== undefined; pick = takeWeighted(group, random)) {
      ordered.push(pick);
      if (ordered.length === maxTargets) return ordered;
    }
  }
  return ordered;
}

/** A name that may be looked up: RFC 1123 section 2.1, and the underscore that private networks use. */
export function isHostname(name: string): boolean {
  if (name.length > 253) return false;
  const labels = name.split(".");
  // What ends in a number is an IPv4 address to much software ("127.1", "0x7f000001"), and no top-level domain is one.
  if (/^(?:\d+|0x[\da-f]*)$/i.test(labels.at(-1) ?? "")) return false;
  return labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}

/**
 * A target without a dot is refused: it means something only to this machine or its container network, and somebody
 * else's DNS has no business naming hosts there.
 */
function isUsable({ target, port }: ServiceRecord): boolean {
  return port > 0 && port <= 65_535 && target.includes(".") && isHostname(target);
}

/** The first of each server, so that a repeated record neither raises its chances nor uses up the limit. */
function withoutRepeats(records: readonly ServiceRecord[]): ServiceRecord[] {
  const byServer = new Map<string, ServiceRecord>();
  for (const record of [...records].sort((a, b) => a.priority - b.priority)) {
    const server = `${record.tls} ${record.target.toLowerCase()} ${record.port}`;
    if (!byServer.has(server)) byServer.set(server, record);
  }
  return [...byServer.values()];
}

/** Removes one from the group: RFC 2782, "Weight". Those of weight 0 stand first, which leaves them a small chance. */
function takeWeighted(group: ServiceRecord[], random: () => number): ServiceRecord | undefined {
  group.sort((a, b) => a.weight - b.weight);
  const total = group.reduce((sum, { weight }) => sum + weight, 0);
  let left = Math.floor(random() * (total + 1));
  const index = group.findIndex(({ weight }) => {
    left -= weight;
    return left <= 0;
  });
  return group.splice(index, 1)[0];
}
