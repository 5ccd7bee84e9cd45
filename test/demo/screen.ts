/** What the demo says: numbered steps, sentences, and what was typed or received, indented. */

const bold = process.stdout.isTTY ? (text: string) => `\x1b[1m${text}\x1b[0m` : (text: string) => text;
let steps = 0;

export function step(title: string): void {
  steps++;
  say(`\n${bold(`${steps}. ${title}`)}\n`);
}

export function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

export function show(text: string): void {
  process.stdout.write(`${text.trimEnd().replace(/^(?=.)/gm, "    ")}\n`);
}
