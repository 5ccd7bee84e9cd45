import { expect, test } from "bun:test";
import { BoundedMap } from "../../src/session/bounded-map.ts";
import { makeRandom } from "../support/soak.ts";

test("a bounded map forgets what was not used for the longest time, whatever is read, written and deleted", () => {
  const random = makeRandom("bounded map");
  const limit = 7;
  for (let round = 0; round < 50; round++) {
    const map = new BoundedMap<number>(limit);
    /** From the one that was not used for the longest time. */
    let model: string[] = [];
    for (let step = 0; step < 1_000; step++) {
      const key = `key ${random.integer(0, 2 * limit)}`;
      const others = model.filter((other) => other !== key);
      const act = random.pick(["set", "set", "get", "delete"]);
      if (act === "set") {
        map.set(key, step);
        model = [...others, key].slice(-limit);
      } else if (act === "delete") {
        map.delete(key);
        model = others;
      } else {
        const isThere = map.get(key) !== undefined;
        expect(isThere).toBe(model.includes(key));
        if (isThere) model = [...others, key];
      }
      expect(map.size).toBe(model.length);
    }
    expect(model.filter((key) => map.get(key) === undefined)).toEqual([]);
  }
});
