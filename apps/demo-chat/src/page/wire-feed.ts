// /wire → [wire feed] → panel: the server's trace of this page's connections

import { WIRE_SUBPROTOCOL, type WireMessage } from "../wire/messages.ts";

/** How long a handshake waits for the feed: the chat must work without it. */
const PATIENCE_MS = 1_500;

/** 128 random bits: whoever knows them sees the page's connections. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class WireFeed {
  readonly #id: string;
  readonly #onMessage: (message: WireMessage) => void;
  #socket: WebSocket | undefined;

  constructor(id: string, onMessage: (message: WireMessage) => void) {
    this.#id = id;
    this.#onMessage = onMessage;
  }

  /** Opens the feed if it is not open. Resolves when it is, or after a while. */
  open(): Promise<void> {
    const before = this.#socket;
    if (before?.readyState === WebSocket.OPEN) return Promise.resolve();
    // One that still connects is from before a restart.
    before?.close();
    const url = new URL(`/wire?of=${this.#id}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, WIRE_SUBPROTOCOL);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(String(data)) as WireMessage);
    return new Promise((resolve) => {
      socket.onopen = () => resolve();
      socket.onclose = () => resolve();
      setTimeout(resolve, PATIENCE_MS);
    });
  }

  /** Asks for a refusal; false if the feed is not open. */
  ask(name: string): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ ask: name }));
    return true;
  }
}
