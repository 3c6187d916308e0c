// node:net and node:tls, in Node, Bun and Deno.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { duplexStream, type Io } from "@upgrade/core/io";
import type { Facts, Transport } from "../suite/case.ts";
import { openedPair } from "../suite/run.ts";

const FAILURE = { abort: "failure" } as const;
const END = { abort: "end" } as const;
const HALF_OPEN = { allowHalfOpen: true } as const;

/** Both ends of a connection to a server of its own. */
async function connected(
  server: net.Server,
  event: string,
  where: net.ListenOptions,
  dial: (address: net.AddressInfo) => net.Socket,
): Promise<[client: net.Socket, server: net.Socket]> {
  await once(server.listen(where), "listening");
  const near = dial(server.address() as net.AddressInfo);
  const [far] = (await once(server, event)) as [net.Socket];
  server.close();
  return [near, far];
}

const LOOPBACK = { host: "127.0.0.1", port: 0 };

const tcpPair = () =>
  connected(net.createServer(HALF_OPEN), "connection", LOOPBACK, ({ port }) =>
    net.connect({ ...HALF_OPEN, host: "127.0.0.1", port }),
  );

function sockets(
  name: string,
  facts: Facts,
  makePair: () => Promise<[net.Socket, net.Socket]>,
  ioOf: (socket: net.Socket) => Io = (socket) => socket,
): Transport {
  return {
    name,
    facts,
    async open(played) {
      const [client, server] = await makePair();
      return openedPair(played, facts, ioOf(client), ioOf(server));
    },
  };
}

export const tcp = sockets("`net.Socket`, TCP", FAILURE, tcpPair);

/** @param abort On Bun, which resets the socket under TLS, a failure. */
export const secure = (keys: string, abort: Facts["abort"] = "end"): Transport =>
  sockets("`tls.TLSSocket`", { abort }, () => {
    const [key, cert] = ["key", "cert"].map((it) => readFileSync(`${keys}/localhost.${it}.pem`));
    const server = tls.createServer({ ...HALF_OPEN, key: key!, cert: cert! });
    return connected(server, "secureConnection", LOOPBACK, ({ port }) =>
      tls.connect({ ...HALF_OPEN, host: "127.0.0.1", port, ca: cert!, servername: "localhost" }),
    );
  });

export const unixSocket = sockets("`net.Socket`, Unix", END, () => {
  const path = join(tmpdir(), `upgrade-${randomUUID()}.sock`);
  return connected(net.createServer(HALF_OPEN), "connection", { path }, () =>
    net.connect({ ...HALF_OPEN, path }),
  );
});

export const streamOfDuplex = sockets("`duplexStream()`, TCP", FAILURE, tcpPair, duplexStream);

export const webOfDuplex = sockets(
  "`Duplex.toWeb()`, TCP",
  END,
  tcpPair,
  (socket) => Duplex.toWeb(socket) as unknown as Io,
);
