import type net from "node:net";
import type { Server } from "@upgrade/node";
import type { Service } from "@upgrade/server";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll } from "vitest";
import { closeLater } from "../pairs/loopback.ts";

/** What the page shall do with a WebSocket. */
export interface Talk {
  readonly url: string;
  readonly subprotocols?: readonly string[];
  /** Sent one after the other, each when the one before has come back: text, or a number of bytes. */
  readonly send?: readonly { readonly text?: string; readonly length: number }[];
  /** After that: text to send, or a close. Without it the page waits. */
  readonly last?: string | { readonly code?: number; readonly reason?: string };
}

/** What the page has seen, when its WebSocket is closed. */
export interface Seen {
  readonly opened: boolean;
  readonly failed: boolean;
  readonly protocol: string;
  readonly extensions: string;
  /** How many messages came back as they were sent. */
  readonly echoed: number;
  /** Text that came and was not sent before. */
  readonly texts: readonly string[];
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

const SCRIPT = `
const made = ({ text, length }) =>
  text === undefined
    ? new Uint8Array(length).fill(7).buffer
    : text.repeat(Math.ceil(length / text.length)).slice(0, length);
const isSame = (one, other) =>
  typeof one === "string" || typeof other === "string"
    ? one === other
    : one?.byteLength === other.byteLength && new Uint8Array(other).every((octet) => octet === 7);

function talk({ url, subprotocols, send = [], last }) {
  const socket = new WebSocket(url, subprotocols);
  socket.binaryType = "arraybuffer";
  const seen = { opened: false, failed: false, protocol: "", extensions: "", echoed: 0, texts: [] };
  const left = send.map(made);
  const next = () => {
    if (left.length > 0) socket.send(left[0]);
    else if (typeof last === "string") socket.send(last);
    else if (last?.code !== undefined) socket.close(last.code, last.reason);
    else if (last !== undefined) socket.close();
    if (left.length === 0) last = undefined;
  };
  socket.onopen = () => {
    const { protocol, extensions } = socket;
    Object.assign(seen, { opened: true, protocol, extensions });
    next();
  };
  socket.onmessage = ({ data }) => {
    if (!isSame(left[0], data)) return void seen.texts.push(data);
    left.shift();
    seen.echoed++;
    next();
  };
  socket.onerror = () => {
    seen.failed = true;
  };
  return new Promise((settle) => {
    socket.onclose = ({ code, reason, wasClean }) => settle({ ...seen, code, reason, wasClean });
  });
}
`;

/** Answers with the page. Its connection closes, so that only WebSockets keep a server open. */
export const page: Service<net.Socket> = () => ({
  status: 200,
  headers: { "Content-Type": "text/html", "Connection": "close" },
  body: `<!doctype html><title>talk</title><link rel="icon" href="data:,"><script>${SCRIPT}</script>`,
});

/** A page in a browser, on a server of ours. */
export class Visit {
  readonly #page: Page;
  /** The messages on its console. */
  readonly #console: string[] = [];

  constructor(page: Page) {
    this.#page = page;
    page.on("console", (message) => this.#console.push(message.text()));
  }

  talk(talk: Talk): Promise<Seen> {
    return this.#page.evaluate(`talk(${JSON.stringify(talk)})`);
  }

  /** Begins to talk, and does not wait. */
  async begin(talk: Talk): Promise<void> {
    await this.#page.evaluate(`void talk(${JSON.stringify(talk)})`);
  }

  /** Why the browser let a WebSocket fail. */
  async complaint(): Promise<string> {
    if (this.#console.length === 0) await this.#page.waitForEvent("console");
    return this.#console.join("\n");
  }

  async leave(): Promise<void> {
    await this.#page.goto("about:blank");
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}

// The browser asks nobody outside of this machine.
const NOBODY = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

/** Visits servers, all with one browser, which the block of tests closes at its end. */
export function visiting(executablePath: () => string): (server: Server) => Promise<Visit> {
  let launched: Promise<Browser> | undefined;
  afterAll(async () => (await launched)?.close());
  return async (server) => {
    launched ??= chromium.launch({ executablePath: executablePath(), args: [NOBODY] });
    const page = await (await launched).newPage({ ignoreHTTPSErrors: true });
    closeLater(() => page.close());
    const visit = new Visit(page);
    await page.goto(server.url);
    return visit;
  };
}
