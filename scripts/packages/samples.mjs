// The programs of the README and of the guide to protocols, as JavaScript.
import ts from "typescript";
import { fencedBlocks, read } from "../docs/markdown.mjs";
import { README, WELCOME } from "./readme.mjs";

const [{ code }] = fencedBlocks(read("docs/guides/your-own-protocol.md"), "ts");
const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };

/** Of each: the name of its file, its code, and what it prints. */
export const SAMPLES = [
  ["echo.mjs", README, WELCOME],
  [
    "lines.mjs",
    ts.transpileModule(code, { compilerOptions }).outputText,
    "at most 80\nAGREED ON 40\n",
  ],
];
