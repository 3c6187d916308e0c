// Runs a script as a page would: node page.mjs <file>. It has its own realm and the globals below,
// which a page has too, and nothing of Node. Prints what the script reports.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const GLOBALS = [
  ...["AbortController", "AbortSignal", "Event", "EventTarget", "DOMException"],
  ...["ReadableStream", "WritableStream", "TransformStream", "TextEncoder", "TextDecoder"],
  ...["Headers", "Request", "Response", "URL", "URLSearchParams", "Blob", "FormData"],
  ...["setTimeout", "clearTimeout", "queueMicrotask", "performance", "crypto", "atob", "btoa"],
];

const [file] = process.argv.slice(2);
const globals = Object.fromEntries(GLOBALS.map((name) => [name, globalThis[name]]));
const page = vm.createContext({ ...globals, report: (text) => console.log(text) });
vm.runInContext("globalThis.self = globalThis.window = globalThis", page);
new vm.Script(readFileSync(file, "utf8"), { filename: file }).runInContext(page);
