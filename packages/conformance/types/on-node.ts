// The types of @upgrade/node: a TLS socket where TLS was asked for. Compiled against the sources and
// against the published declarations.
import type http from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket, TlsOptions } from "node:tls";
import { adoptUpgrade, handOver, leaveTo, open, type Server, serve } from "@upgrade/node";
import { reverseProxy } from "@upgrade/proxy";
import type { ServerRequest, Service } from "@upgrade/server";

export async function opened(url: string): Promise<void> {
  const secure = [await open("https://a.test"), await open("wss://a.test/chat")] as const;
  const bySchemes: Same<typeof secure, readonly [TLSSocket, TLSSocket]> = true;
  const given = await open(url, { tls: {} });
  const byOption: Same<typeof given, TLSSocket> = true;
  const plain = await open(url, { tls: undefined, timeoutMs: undefined });
  const unknown: Same<typeof plain, Socket> = true;
  void [bySchemes, byOption, unknown];
}

export async function served(tls: TlsOptions, service: Service<TLSSocket>): Promise<void> {
  const server = await serve(
    async (request) => {
      const on: Same<typeof request, ServerRequest<TLSSocket>> = true;
      void on;
      return { status: 204 };
    },
    { tls },
  );
  const listening: Same<typeof server, Server> = true;
  void listening;
  await serve(async (request) => {
    const on: Same<typeof request, ServerRequest<Socket>> = true;
    void on;
  });
  // @ts-expect-error: without TLS its sockets are none of TLS
  await serve(service, { port: 0 });
}

export async function handed(
  request: ServerRequest<TLSSocket>,
  duplex: Duplex,
  message: http.IncomingMessage,
  httpServer: http.Server,
): Promise<void> {
  const [req, socket, head] = await handOver(request);
  const asked: Same<typeof req, http.IncomingMessage> = true;
  const out: Same<typeof socket, TLSSocket> = true;
  const adopted = await adoptUpgrade(message, duplex, head);
  const back: Same<typeof adopted, Duplex> = true;
  const left = leaveTo(httpServer);
  const service: Same<typeof left, Service<Socket>> = true;
  void [asked, out, back, service];
}

export const proxies = [
  serve(reverseProxy({ dial: (origin, { signal }) => open(origin, { signal, proxy: false }) })),
  serve(reverseProxy({ dial: (origin) => open(origin) }), { tls: {} }),
];
