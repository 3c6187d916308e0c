// Plays every row with our probe, curl, wscat and openssl, and writes what they said:
//   node main.js FOLDER-OF-THE-PACKAGE

import { writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { run } from "../src/command/run.ts";
import { curl, openssl, wscat } from "./others.ts";
import { argumentsFor, ROWS, type Row } from "./rows.ts";
import { Stage } from "./stage.ts";

const AT_ONCE = 4;
const MAX_LINES = 3;
const MAX_LINE_LENGTH = 160;

const [folder = "."] = process.argv.slice(2);
const home = pathToFileURL(`${folder}/`);

async function ours(args: readonly string[]): Promise<{ exit: number; text: string }> {
  const stdout = new PassThrough();
  let text = "";
  stdout.on("data", (bytes) => {
    text += bytes;
  });
  const exit = await run(args, { stdin: new PassThrough(), stdout, stderr: new PassThrough() });
  return { exit, text };
}

// Ports and times differ from run to run, and the folder from machine to machine.
function stable(line: string, maxLength = MAX_LINE_LENGTH): string {
  return line
    .replaceAll(folder, "")
    .replace(/(127\.0\.0\.1|localhost|\[::1\])(:| port )\d+/g, "$1$2PORT")
    .replace(/\bport \d{4,5}\b/g, "port PORT")
    .replace(/after \d+ ms/g, "after N ms")
    .replace(/after \d+ milliseconds/g, "after N milliseconds")
    .replace(/\b[0-9A-F]{16}:/, "")
    .replace(/, and the key needs "?[\w+/=]+"?/, ", and the key needs ANOTHER")
    .slice(0, maxLength);
}

async function play(row: Row) {
  const stage = new Stage(new URL("keys/", home));
  try {
    const attempt = await row.arrange(stage);
    const args = argumentsFor(attempt);
    const { verdict } = JSON.parse((await ours([...args, "--json"])).text);
    const { exit, text } = await ours(args);
    const programs = Object.entries({ "curl -v": curl, wscat, "openssl s_client": openssl });
    const others = await Promise.all(
      programs.map(async ([name, ask]) => {
        const said = await ask(attempt);
        return {
          name,
          exit: said.exit,
          lines: said.lines.slice(-MAX_LINES).map((line) => stable(line)),
        };
      }),
    );
    const [first = ""] = text.split("\n");
    const { title } = row;
    console.log(`${title}: ${first}`);
    const change = stable(verdict.change, 1_000);
    return { title, first: stable(first, 1_000), change, verdict: verdict.id, exit, others };
  } finally {
    await stage.close();
  }
}

// Each waits more than it works.
const rows: unknown[] = [];
const left = [...ROWS.entries()];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      rows[next[0]] = await play(next[1]);
    }
  }),
);
const file = new URL("diagnosis/recorded.json", home);
writeFileSync(file, `${JSON.stringify({ rows }, undefined, 2)}\n`);
