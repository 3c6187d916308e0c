// open ← [proxy refused] ← proxy: the response of a proxy that opens no tunnel

import { ConnectionError, type Headers } from "@upgrade/core";
import { brand } from "@upgrade/core/io";

/** The head of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
}

/** The proxy answered CONNECT with a refusal, such as 407. Its connection is closed. */
export class ProxyRefused extends ConnectionError {
  static override readonly brand: string = "ProxyRefused";
  /** The status of the refusal. */
  override readonly status: number;
  /** The head of the refusal. Not enumerable, so that consoles do not print it. */
  declare readonly response: ResponseHead;

  constructor(context: string, { status, reason, headers }: ResponseHead) {
    super("PROXY_REFUSED", context, { sent: "nothing" });
    this.status = status;
    Object.defineProperty(this, "response", { value: { status, reason, headers } });
  }
}
brand(ProxyRefused);
