import { describe, expect, test } from "bun:test";
import { beginScram, type ScramSettings } from "./scram-server.ts";

const settings: ScramSettings = {
  hash: "sha1",
  iterations: 4096,
  plus: false,
  plusOffered: false,
  channelBinding: () => undefined,
  passwordOf: (username) => (username === "user" ? "pencil" : undefined),
};

const vectors = [
  {
    source: "RFC 5802 section 5",
    settings: {
      ...settings,
      salt: Buffer.from("QSXCR+Q6sek8bf92", "base64"),
      nonce: "3rfcNHYJY1ZVvWVs7j",
    },
    clientFirst: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    source: "RFC 7677 section 3",
    settings: {
      ...settings,
      hash: "sha256",
      salt: Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"),
      nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    },
    clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    clientFinal:
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
];

describe("the SCRAM server", () => {
  test.each(vectors)("agrees with $source", async ({ settings, clientFirst, clientFinal, serverFinal }) => {
    expect(await beginScram(clientFirst, settings)?.finish(clientFinal)).toBe(serverFinal);
  });

  test.each(vectors)("refuses a proof that is wrong in one bit ($source)", async (vector) => {
    const wrong = vector.clientFinal.replace(/p=(.)/, (_whole, first) => `p=${first === "A" ? "B" : "A"}`);
    expect(await beginScram(vector.clientFirst, vector.settings)?.finish(wrong)).toBeUndefined();
  });

  test("refuses an account that it does not know", async () => {
    const scram = beginScram("n,,n=nobody,r=abc", settings);
    expect(await scram?.finish(`c=biws,r=abc,p=${"A".repeat(28)}`)).toBeUndefined();
  });

  const binding = { ...settings, channelBinding: (type: string) => (type === "x" ? Buffer.from("b") : undefined) };
  const openings: [string, string, ScramSettings, boolean][] = [
    ["n without -PLUS", "n,,n=u,r=a", { ...settings, plusOffered: true }, true],
    ["y where no -PLUS is offered", "y,,n=u,r=a", settings, true],
    ["y where -PLUS is offered, as after a stripped list", "y,,n=u,r=a", { ...settings, plusOffered: true }, false],
    ["p with -PLUS", "p=x,,n=u,r=a", { ...binding, plus: true, plusOffered: true }, true],
    ["p of a type that the server lacks", "p=z,,n=u,r=a", { ...binding, plus: true, plusOffered: true }, false],
    ["p without -PLUS", "p=x,,n=u,r=a", { ...binding, plusOffered: true }, false],
    ["n with -PLUS", "n,,n=u,r=a", { ...binding, plus: true, plusOffered: true }, false],
    ["something that is no SCRAM", "hello", settings, false],
  ];
  test.each(openings)("takes or refuses %s as RFC 5802 section 6 says", (_name, clientFirst, given, taken) => {
    expect(beginScram(clientFirst, given) !== undefined).toBe(taken);
  });
});
