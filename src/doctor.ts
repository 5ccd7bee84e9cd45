/** The composition root of `post-msg check --connect`: the hosts of a configuration, each examined by the way of a login. */

import type { Config, HostConfig } from "./config.ts";
import { type Diagnosis, diagnose, type StepReport } from "./doctor/diagnosis.ts";
import type { Place } from "./doctor/place.ts";
import { Failure } from "./errors.ts";
import type { Step } from "./findings.ts";
import type { Credentials } from "./message.ts";
import { createExamine } from "./xmpp/examine.ts";
import { systemLookup } from "./xmpp/lookup.ts";
import type { Lookup } from "./xmpp/resolve.ts";

export interface DoctorOptions {
  readonly config: Config;
  /** The configuration's, as the user named it. */
  readonly file: string;
  /** Of an account of one of the hosts, which is then logged in with. */
  readonly credentials: Credentials | undefined;
  readonly onHost: (domain: string) => void;
  readonly onStep: (report: StepReport) => void;
  readonly onDiagnosis: (diagnosis: Diagnosis) => void;
  /** From names to addresses; default: the system's way. */
  readonly lookup?: Lookup;
  readonly now?: () => Date;
}

/** Resolves when every host is examined. */
export type Doctor = (options: DoctorOptions) => Promise<readonly Diagnosis[]>;

const hostsAtATime = 8;

/** Several hosts at a time, told of one after another and in their order. */
export const examineHosts: Doctor = async (options) => {
  const { config, onHost, onStep, onDiagnosis } = options;
  const diagnoses: Diagnosis[] = [];
  const hosts = [...config.hosts.values()];
  while (hosts.length > 0) {
    for (const examination of hosts.splice(0, hostsAtATime).map((host) => beginExamination(host, options))) {
      onHost(examination.domain);
      examination.tell(onStep);
      const diagnosis = await examination.done;
      onDiagnosis(diagnosis);
      diagnoses.push(diagnosis);
    }
  }
  return diagnoses;
};

interface Examination {
  readonly domain: string;
  /** From now on, and what has been held back until now. */
  tell(onStep: (report: StepReport) => void): void;
  readonly done: Promise<Diagnosis>;
}

function beginExamination(host: HostConfig, options: DoctorOptions): Examination {
  const { config, credentials, file, lookup = systemLookup(), now = () => new Date() } = options;
  const { domain } = host;
  const login = credentials?.account.domain === domain ? credentials : undefined;
  const examine = createExamine({ lookup, findHost: (name) => config.hosts.get(name) });
  const held: StepReport[] = [];
  let onStep = (report: StepReport): void => void held.push(report);
  const giveUp = new AbortController();
  const { loginTimeoutMs } = config.sessions;
  const late = `The login at the XMPP server of "${domain}" was given up: it was not done within login_timeout, ${loginTimeoutMs} ms.`;
  const timer = setTimeout(() => giveUp.abort(new Failure("login_timeout", late)), loginTimeoutMs);
  const done = diagnose({
    place: placeOf(host, file, login),
    examine: (watch) => {
      const begin = (step: Step) => {
        // It has a limit of its own.
        if (step === "message") clearTimeout(timer);
        watch.begin(step);
      };
      return examine(domain, login, { ...watch, begin }, giveUp.signal);
    },
    onStep: (report) => onStep(report),
    now,
  }).finally(() => clearTimeout(timer));
  return {
    domain,
    tell: (listener) => {
      held.forEach(listener);
      onStep = listener;
    },
    done,
  };
}

function placeOf(
  { domain, connect, caCertificates, maxStanzaBytes }: HostConfig,
  file: string,
  login?: Credentials,
): Place {
  return {
    file,
    domain,
    account: login?.account.bare,
    connect: connect && showConnect(connect),
    hasCaFile: caCertificates.length > 0,
    maxStanzaBytes,
  };
}

/** As it is written in the configuration. */
function showConnect({ hostname, port, tls }: NonNullable<HostConfig["connect"]>): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${tls === "direct" ? "xmpps" : "xmpp"}://${host}:${port}`;
}
