import type { ByteStream } from "@upgrade/core/io";
import { latin1 } from "./messages.ts";

/** All that a stream still yields, as text. */
export async function allOf(stream: ByteStream): Promise<string> {
  let all = "";
  for (;;) {
    const chunk = await stream.read();
    if (chunk === null) return all;
    all += latin1(chunk);
  }
}
