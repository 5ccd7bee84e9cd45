/** Servers may take several passwords for one account (one an application, two spellings of one), and change them. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { credentialsOf, type FakeLogins, makeFakeLogins } from "../support/fake-logins.ts";

const alice = "alice@example.com";
const here = "127.0.0.1";
const turn = () => new Promise((resolve) => setImmediate(resolve));

function open({ cache }: FakeLogins, password: string): Promise<string> {
  return cache.open(credentialsOf(alice, password), here).then(
    () => "in",
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

test("passwords that the server takes for one account are all served at once, with one session", async () => {
  const fake = makeFakeLogins();
  const good = ["one", "two", "three", "four", "five", "six"];
  fake.delay = async ({ password }) => {
    await turn();
    if (good.includes(password)) fake.passwords.set(alice, password);
  };
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all([...good, ...good].map((password) => open(fake, password)));
    expect(answers).toEqual(answers.map(() => "in"));
    expect(await open(fake, `guess ${round}`)).toBe("credentials_rejected");
  }
  expect([fake.logins.length, fake.cache.size]).toEqual([1, 1]);
  await fake.cache.close();
});

test("the proof of an old password that ends after that of the new one vouches for nobody who comes later", async () => {
  const fake = makeFakeLogins({ verifyMs: 50 });
  fake.passwords.set(alice, "old");
  expect(await open(fake, "old")).toBe("in");
  await Bun.sleep(60);
  // The server says yes to the old one, the password is changed, and only after the new one's proof does that yes arrive.
  const arrives = Promise.withResolvers<void>();
  fake.delay = async ({ password }) => {
    if (password === "old") await arrives.promise;
    fake.passwords.set(alice, password);
  };
  const late = open(fake, "old");
  expect(await open(fake, "new")).toBe("in");
  arrives.resolve();
  expect(await late).toBe("in");
  fake.delay = () => Promise.resolve();
  fake.passwords.set(alice, "new");
  expect([await open(fake, "old"), await open(fake, "new")]).toEqual(["credentials_rejected", "in"]);
  expect(fake.closed).toEqual([]);
  await fake.cache.close();
});
