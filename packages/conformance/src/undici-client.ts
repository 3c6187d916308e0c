import { createRequire } from "node:module";
import type { Client as UndiciClient } from "undici";

// The index of this undici requires Node 22; the modules tested here do not.
const load = createRequire(import.meta.url);

/** `Client` of undici. */
export const Client = load("undici/lib/dispatcher/client.js") as typeof UndiciClient;
Object.assign(load("undici/lib/dispatcher/dispatcher.js").prototype, load("undici/lib/api"));
