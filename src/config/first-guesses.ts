/** What people write where they have not read which settings there are, and what is so in place of it. */

const accountNames = [
  "account",
  "credentials",
  "jid",
  "login",
  "pass",
  "passwd",
  "password",
  "secret",
  "user",
  "username",
];
const addressNames = ["address", "bind", "host", "hostname", "ip", "port", "server"];

const noAccounts = "every caller sends an account and its password with each request, and none stands in this file";

/** What belongs in place of a setting that does not exist; undefined: nobody knows. */
export function answerFirstGuess(section: string | undefined, key: string): string | undefined {
  const name = key.toLowerCase();
  if (accountNames.includes(name)) return noAccounts;
  if (!addressNames.includes(name)) return undefined;
  if (section === "hosts") return `where the server is, stands in connect = "xmpp://host:port"`;
  if (section !== "http" && section !== "metrics") return undefined;
  return `address and port stand together in listen = "${section === "http" ? "127.0.0.1:5280" : "127.0.0.1:9590"}"`;
}
