// What speaks a protocol gets the io from where it is known: the service that is asked for, what
// speaks another protocol, or what is left to `otherwise`. Compiled against the sources and the
// published declarations.
import type http from "node:http";
import type net from "node:net";
import type tls from "node:tls";
import { leaveTo, serve, serveUpgrades } from "@upgrade/node";
import {
  fetchService,
  type Parts,
  type ServerRequest,
  type Service,
  switching,
} from "@upgrade/server";

declare const forAll: Service<unknown>;
declare const forSockets: Service<net.Socket>;
declare const forSecure: Service<tls.TLSSocket>;
declare const httpServer: http.Server;
declare const handler: Parameters<typeof fetchService>[0];
const notFound = () => ({ status: 404 });

// From the service that is asked for, whatever `otherwise` takes.
export const asked: readonly Service<net.Socket>[] = [
  switching([["echo", ({ io }) => void io.setNoDelay()]]),
  switching([["echo", ({ io }) => void io.setNoDelay()]], forAll),
  switching([["echo", ({ io }) => void io.setNoDelay()]], forSockets),
  switching([["echo", ({ io }) => void io.setNoDelay()]], notFound),
  switching([["echo", ({ io }) => void io.setNoDelay()]], ({ target }) => ({
    status: 200,
    body: target,
  })),
  switching([["echo", ({ io }) => void io.setNoDelay()]], fetchService(handler)),
];
export const secure: Service<tls.TLSSocket> = switching(
  [["echo", ({ io }) => void io.getCipher()]],
  forSockets,
);
export const served = [
  serve(switching([["echo", ({ io }) => void io.setNoDelay()]], forAll)),
  serve(switching([["echo", ({ io }) => void io.setNoDelay()]], notFound), { port: 0 }),
  serve(switching([["echo", ({ io }) => void io.setNoDelay()]], leaveTo(httpServer))),
  serveUpgrades(httpServer, switching([["echo", ({ io }) => void io.setNoDelay()]], forAll)),
];

// From what speaks one of the protocols.
const oneSpeaks = switching(
  [
    ["echo", ({ io }: Parts<net.Socket>) => void io.setNoDelay()],
    ["other", ({ io }) => void io.setNoDelay()],
  ],
  forAll,
);
export const spoken: Same<typeof oneSpeaks, Service<net.Socket>> = true;
export const spokenSecurely = serve(
  switching([["echo", ({ io }: Parts<tls.TLSSocket>) => void io.getCipher()]], forAll),
  { tls: {} },
);

// From `otherwise`, which may also ask for more than what speaks.
const left = switching([["echo", ({ io }) => void io.setNoDelay()]], leaveTo(httpServer));
export const leftToOthers: Same<typeof left, Service<net.Socket>> = true;
const annotated = switching(
  [["echo", ({ io }) => void io.setNoDelay()]],
  (request: ServerRequest<net.Socket>) => void request.takeOver(),
);
export const leftToAnnotated: Same<typeof annotated, Service<net.Socket>> = true;
const leftToMore = switching(
  [["echo", ({ io }: Parts<net.Socket>) => void io.setNoDelay()]],
  forSecure,
);
export const more: Same<typeof leftToMore, Service<tls.TLSSocket>> = true;

// @ts-expect-error A socket is not TLS.
export const tooMuch: Service<net.Socket> = switching([["echo", () => {}]], forSecure);
// @ts-expect-error A socket is not TLS.
export const tooMuchGiven = switching<net.Socket, ["echo"]>([["echo", () => {}]], forSecure);
export const given = switching<net.Socket, ["echo"]>([["echo", ({ io }) => void io.ref()]], forAll);
