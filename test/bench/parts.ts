/** The parts of the benchmark, in the order in which they run. */

import type { Part } from "./options.ts";
import { cold } from "./parts/cold.ts";
import { ejabberd } from "./parts/ejabberd.ts";
import { idle } from "./parts/idle.ts";
import { manyAccounts } from "./parts/many-accounts.ts";
import { overload } from "./parts/overload.ts";
import { ownCost } from "./parts/own-cost.ts";
import { prosody } from "./parts/prosody.ts";
import { rooms } from "./parts/rooms.ts";
import { size } from "./parts/size.ts";
import { startUp } from "./parts/start-up.ts";

export const parts: readonly Part[] = [
  startUp,
  idle,
  ownCost,
  manyAccounts,
  size,
  cold,
  overload,
  prosody,
  ejabberd,
  rooms,
];
