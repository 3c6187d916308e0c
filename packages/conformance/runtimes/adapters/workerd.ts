// workerd: the client's socket is of cloudflare:sockets, the server's that of the connect() handler,
// which is another request: it shares variables, but no io.

import { connect } from "cloudflare:sockets";
import type { Io } from "@upgrade/core/io";
import type { Case, Transport } from "../suite/case.ts";
import { playServer } from "../suite/run.ts";

// There is no reset to send: docs/transports.md.
const facts = { abort: "end" } as const;

/** A case whose client is connecting, and what the handler tells it. */
interface Expected {
  readonly played: Case;
  readonly settle: (failure?: unknown) => void;
}

/** A transport for one case at a time, and the handler at its other end. */
export function sockets(): {
  to(port: number): Transport;
  connect(socket: Io): Promise<void>;
} {
  let expected: Expected | undefined;
  return {
    to: (port) => ({
      name: "`cloudflare:sockets`",
      facts,
      async open(played) {
        const served = new Promise<void>((resolve, reject) => {
          const settle = (failure: unknown) =>
            failure === undefined ? resolve() : reject(failure);
          expected = { played, settle };
        });
        return { io: connect({ hostname: "127.0.0.1", port }, { allowHalfOpen: true }), served };
      },
    }),
    async connect(socket) {
      const { played, settle } = expected!;
      await playServer(played, socket, facts).then(() => settle(), settle);
    },
  };
}
