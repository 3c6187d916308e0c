// Runs `npm run differential`: node differential.js FIXTURES [--mutations N] [--seed S]
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Comparison, casesOf } from "./comparison.ts";
import { readSeeds } from "./corpus.ts";
import { EXPLANATIONS } from "./explained.ts";
import { h11Peer, nodeParser } from "./peers.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mutations: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
  },
});
const fixtures = positionals[0] ?? ".";

const h11 = await h11Peer(pathToFileURL(`${fixtures}/../fuzz/h11-peer.py`));
if (h11 === undefined)
  console.log("h11 is skipped: no python3 here can import it (Debian: python3-h11)");
const peers = [nodeParser(), ...(h11 === undefined ? [] : [h11])];
const comparison = new Comparison(peers);
const seeds = readSeeds(pathToFileURL(`${fixtures}/`));
for (const seed of casesOf(seeds, Number(values.mutations), Number(values.seed)))
  await comparison.add(seed);
for (const peer of peers) peer.close();

const { cases, agreed, met, unexplained } = comparison;
const names = peers.map(({ name }) => name).join(" and ");
console.log(`seed ${values.seed}: ${cases} inputs, ${names}: ${agreed} times agreed`);
for (const explanation of EXPLANATIONS) {
  const times = String(met.get(explanation) ?? 0).padStart(6);
  console.log(`${times} ${explanation.peer} ${explanation.ours}: ${explanation.reason}`);
}
for (const [kind, example] of unexplained) console.log(`\nunexplained: ${kind}\n${example}`);
if (unexplained.size > 0) process.exitCode = 1;
