// driver → [forget] → parser: no message stays in memory after its connection

import { llhttp } from "./parser/llhttp-module.ts";
import { scanner } from "./parser/scanner-module.ts";

/**
 * Clears what the process remembers of messages: caches of what was sent last, and what was read
 * last, which is still in WebAssembly's memory. The next message of any connection costs a little
 * more; nothing else changes.
 *
 * The driver calls this at the end of each connection. If you use `HttpConnection` without a driver,
 * call it when a connection is over.
 */
export function forget(): void {
  scanner.forget();
  llhttp.forget();
  // The platform keeps the text of the last match (RegExp.input).
  /^/.test("");
}
