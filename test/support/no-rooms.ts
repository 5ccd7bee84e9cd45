/** For links that only record: their server has no rooms. */

import { Failure } from "../../src/errors.ts";
import type { RoomWire } from "../../src/link.ts";

const nobody = () => Promise.reject(new Failure("remote_server_not_found", "There are no rooms here."));

export const noRooms: RoomWire = {
  enter: () => {},
  leave: () => {},
  isService: nobody,
  hasUs: nobody,
  open: nobody,
  destroy: nobody,
};
