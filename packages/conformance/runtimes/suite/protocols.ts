// Protocols with something to agree on: WebSocket, and the guide's own.

import { lines } from "guide:lines";
import { upgrade } from "@upgrade/client";
import type { Io } from "@upgrade/core/io";
import { switching } from "@upgrade/server";
import { websocket } from "@upgrade/websocket";
import type { Case } from "./case.ts";
import { dialed, GET, HOST, served } from "./ends.ts";
import { equal, failureOf } from "./expect.ts";
import { Wire } from "./wire.ts";

const TARGET = { target: "/", headers: HOST };
// RFC 6455 §5.2: final, text, two bytes; masked with a key of zeros by the client.
const FROM_CLIENT = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69);
const FROM_SERVER = Uint8Array.of(0x81, 0x02, 0x68, 0x69);

export const PROTOCOLS: readonly Case[] = [
  {
    name: "WebSocket: both ends agree on a subprotocol and on compression, then speak frames",
    async server(io) {
      const protocol = websocket({ subprotocols: ["chat.v2", "chat.v1"], perMessageDeflate: true });
      const spoken: string[] = [];
      const speak = async (
        { io: taken, readBuf }: { io: Io; readBuf: Uint8Array },
        agreement: { protocol: string; deflate?: unknown },
      ) => {
        spoken.push(agreement.protocol, typeof agreement.deflate);
        const wire = new Wire(taken, readBuf);
        equal([...(await wire.take(8))], [...FROM_CLIENT]);
        await wire.write(FROM_SERVER);
        equal(await wire.takeToEnd(), "");
        await wire.end();
        spoken.push("all");
      };
      await served(io, switching([[protocol, speak]]));
      equal(spoken, ["chat.v1", "object", "all"]);
    },
    async client(io) {
      const protocol = websocket({ subprotocols: ["chat.v1", "chat.v2"], perMessageDeflate: true });
      const result = await upgrade(io, { ...TARGET, protocol });
      if (!result.switched) throw new Error(`refused: ${result.response.status}`);
      equal([result.agreement.protocol, typeof result.agreement.deflate], ["chat.v1", "object"]);
      const wire = new Wire(result.io, result.readBuf);
      await wire.write(FROM_CLIENT);
      equal([...(await wire.take(4))], [...FROM_SERVER]);
      await wire.end();
      equal(await wire.takeToEnd(), "");
    },
  },
  {
    name: "WebSocket: an unknown origin is refused with a 403",
    async server(io) {
      const protocol = websocket({ origins: ["https://a.test"] });
      await served(io, switching([[protocol, () => {}]]));
    },
    async client(io) {
      const headers = { ...HOST, Origin: "https://b.test" };
      const result = await upgrade(io, { target: "/", headers, protocol: websocket() });
      if (result.switched) throw new Error("it was accepted");
      equal(result.response.status, 403);
      await result.response.body.text();
      await result.connection.close();
    },
  },
  {
    name: "WebSocket: an answer to another key fails the handshake",
    async server(io) {
      const wire = new Wire(io);
      await wire.takeHead();
      await wire.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      );
      await wire.takeToEnd().catch(() => {});
    },
    async client(io) {
      const proposed = upgrade(io, { ...TARGET, protocol: websocket() });
      equal(await failureOf(proposed), "AGREEMENT_FAILED");
    },
  },
  {
    name: "the guide's protocol: both ends agree on the length of lines, and speak them",
    async server(io) {
      await served(
        io,
        switching([
          [
            lines(80),
            async (parts, longest) => {
              const wire = new Wire(parts.io, parts.readBuf);
              const line = await wire.takeLine();
              await wire.write(`${line.trimEnd().slice(0, longest).toUpperCase()}\n`);
              equal(await wire.takeToEnd(), "");
              await wire.end();
            },
          ],
        ]),
      );
    },
    async client(io) {
      const result = await upgrade(io, { ...TARGET, protocol: lines(40) });
      if (!result.switched) throw new Error(`refused: ${result.response.status}`);
      equal(result.agreement, 40);
      const wire = new Wire(result.io, result.readBuf);
      equal(await wire.exchange("agreed on 40\n"), "AGREED ON 40\n");
    },
  },
  {
    name: "the guide's protocol: lines that are too long are refused with its body",
    async server(io) {
      await served(
        io,
        switching([[lines(80), () => {}]], () => ({ status: 200 })),
      );
    },
    async client(io) {
      const result = await upgrade(io, { ...TARGET, protocol: lines(1_000) });
      if (result.switched) throw new Error("it was accepted");
      equal([result.response.status, await result.response.body.text()], [400, "at most 80\n"]);
      await result.connection.close();
    },
  },
  {
    name: "a service for a protocol names it in a 426 to a request that proposes nothing",
    async server(io) {
      await served(io, switching([[lines(80), () => {}]]));
    },
    async client(io) {
      const { sender, close } = await dialed(io);
      const response = await sender.sendRequest(GET);
      equal([response.status, response.headers.get("upgrade")], [426, "lines/1"]);
      await response.body.text();
      await close();
    },
  },
];
