/** The completions in the shells themselves; bash's are tested with everything else, in test/unit. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { runToEnd } from "../../test/support/child-process.ts";
import { makeTempFolder, type TempFolder } from "../../test/support/temp-folder.ts";
import { completions } from "../documents/completions.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
  const { zsh, fish } = completions();
  await folder.write("_post-msg", zsh);
  await folder.write("post-msg.fish", fish);
  await folder.write("post-msg.toml", "");
});
afterAll(() => folder.remove());

test.each([
  ["post-msg ", ["serve", "check", "health"]],
  ["post-msg serve --", ["--config", "--help"]],
  ["post-msg serve --config post", ["post-msg.toml"]],
])("fish completes %j", async (line, offered) => {
  const script = `source ${folder.path}/post-msg.fish; complete -C '${line}'`;
  const env = { ...process.env, HOME: folder.path };
  const output = await runToEnd(["fish", "--no-config", "-c", script], { cwd: folder.path, env });
  const words = output.split("\n").map((each) => each.split("\t")[0]);
  expect(words).toEqual(expect.arrayContaining(offered));
});

/** A zsh that types the line and Tab, on a terminal of its own, since it completes nowhere else. */
const typing = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
tell() { zpty -w shell "$1" }
tell "PS1= ; unsetopt beep; fpath=(${"$"}FOLDER $fpath); autoload -Uz compinit && compinit -u -D; zstyle ':completion:*' list-colors"
tell "LISTMAX=1000; print ready''now"
zpty -m -r shell out '*readynow*' || exit 3
zpty -n -w shell "$LINE_TYPED"$'\\t\\t'
all=
for i in {1..50}; do
  if zpty -r -t shell out; then all+=$out; else sleep 0.1; fi
  [[ $all == *$AWAITED* ]] && { print -r -- "$all"; exit 0 }
done
print -r -- "$all"; exit 4
`;

test.each([
  ["post-msg se", "serve"],
  ["post-msg ch", "check"],
  ["post-msg serve --co", "--config"],
  ["post-msg serve --config post", "post-msg.toml"],
])("zsh completes %j", async (line, offered) => {
  const env = {
    ...process.env,
    FOLDER: folder.path,
    LINE_TYPED: line,
    AWAITED: offered,
    HOME: folder.path,
    TERM: "dumb",
  };
  expect(await runToEnd(["zsh", "-f", "-c", typing], { cwd: folder.path, env })).toContain(offered);
});
