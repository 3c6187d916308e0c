// Deno's own connections.

import { readFileSync } from "node:fs";
import type { Io } from "@upgrade/core/io";
import type { Transport } from "../suite/case.ts";
import { openedPair } from "../suite/run.ts";

/** The parts of Deno's types that are used here. */
interface Listener {
  readonly addr: { readonly port: number };
  accept(): Promise<Io>;
  close(): void;
}
interface Where {
  readonly hostname: string;
  readonly port: number;
}
declare const Deno: {
  listen(where: Where): Listener;
  connect(where: Where): Promise<Io>;
  listenTls(where: Where & { key: string; cert: string }): Listener;
  connectTls(where: Where & { caCerts: string[] }): Promise<Io & { handshake(): Promise<unknown> }>;
};

// Deno has no reset to send: docs/transports.md.
const facts = { abort: "end" } as const;

function conns(
  name: string,
  listen: () => Listener,
  dial: (port: number) => Promise<Io>,
): Transport {
  return {
    name,
    facts,
    async open(played) {
      const listener = listen();
      const [server, client] = await Promise.all([listener.accept(), dial(listener.addr.port)]);
      listener.close();
      return openedPair(played, facts, client, server);
    },
  };
}

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

export const conn = conns(
  "`Deno.Conn`, TCP",
  () => Deno.listen(LOOPBACK),
  (port) => Deno.connect({ ...LOOPBACK, port }),
);

export const tlsConn = (keys: string): Transport => {
  const [key = "", cert = ""] = ["key", "cert"].map((it) =>
    readFileSync(`${keys}/localhost.${it}.pem`, "utf8"),
  );
  return conns(
    "`Deno.TlsConn`",
    () => Deno.listenTls({ ...LOOPBACK, key, cert }),
    (port) => Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] }),
  );
};
