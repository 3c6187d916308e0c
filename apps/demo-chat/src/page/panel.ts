// wire feed → [panel] → page: the connections of this page, and refusals on request

import type { WireMessage } from "../wire/messages.ts";
import { OWN_PROBE, PROBE, PROBES, type ProbeName } from "../wire/probe-table.ts";
import type { WireEvent } from "../wire/wire-event.ts";
import { make, the } from "./dom.ts";
import { Story } from "./story.ts";

/** Older connections are forgotten. */
const MAX_CONNECTIONS = 8;

export interface PanelOptions {
  /** Asks the server's own client for a refusal; false if that is not possible now. */
  readonly ask: (name: ProbeName) => Promise<boolean>;
  /** Asks with a WebSocket of the page. */
  readonly askOwn: () => Promise<void>;
  /** The chat's own handshake was refused. */
  readonly onRefused: (status: number, body: string) => void;
}

interface Shown {
  readonly tab: HTMLButtonElement;
  readonly story: Story;
  readonly isChat: boolean;
  body: string;
}

/** What a WebSocket of the page learns of a refusal. */
export function showOwnEnd(panel: Panel, code: number): void {
  panel.remark(
    `All that the page itself was told is the close code ${code}, without a reason: a browser hides refusals from its pages.`,
  );
}

export class Panel {
  readonly #options: PanelOptions;
  readonly #tabs = the("connections", HTMLElement);
  readonly #wire = the("wire", HTMLElement);
  readonly #shown = new Map<number, Shown>();
  #last: Shown | undefined;

  constructor(options: PanelOptions) {
    this.#options = options;
    const probes = the("probes", HTMLElement);
    probes.append(button(OWN_PROBE.title, options.askOwn));
    for (const [name, { title }] of Object.entries(PROBES)) {
      probes.append(button(title, () => this.#ask(name as ProbeName)));
    }
  }

  receive(message: WireMessage): void {
    if ("event" in message) this.#event(message.connection, message.event);
    else if ("failed" in message) this.remark(`It could not be asked: ${message.failed}`);
    else {
      const whose = "The server's own client asked this, because a page cannot";
      this.remark(`${whose}. That client read a response with status ${message.status}.`);
    }
  }

  /** Adds a sentence to the story of the latest connection. */
  remark(text: string): void {
    this.#last?.story.remark(text);
  }

  async #ask(name: ProbeName): Promise<void> {
    if (await this.#options.ask(name)) return;
    this.#wire.replaceChildren(make("p", "empty", "The server cannot be reached now."));
  }

  #event(connection: number, event: WireEvent): void {
    const shown = this.#shown.get(connection) ?? this.#begin(connection, event);
    if (event.type === "body") shown.body = event.text.trim();
    if (event.type === "refused" && shown.isChat) {
      this.#options.onRefused(event.status, shown.body);
    }
    shown.story.show(event);
  }

  #begin(connection: number, event: WireEvent): Shown {
    const asked = event.type === "request" ? probeIn(event.target) : null;
    const title = asked === null ? "This page’s chat" : titleOf(asked);
    const tab = make("button", "", `${title} `, make("small", "", `#${connection}`));
    tab.type = "button";
    const shown: Shown = { tab, story: new Story(), isChat: asked === null, body: "" };
    this.#shown.set(connection, shown);
    this.#last = shown;
    tab.onclick = () => this.#select(shown);
    this.#tabs.prepend(tab);
    this.#forget();
    this.#select(shown);
    // It was asked for at the end of the panel.
    if (asked !== null) this.#tabs.scrollIntoView({ block: "start" });
    return shown;
  }

  #forget(): void {
    const [oldest] = this.#shown;
    if (oldest === undefined || this.#shown.size <= MAX_CONNECTIONS) return;
    oldest[1].tab.remove();
    this.#shown.delete(oldest[0]);
  }

  #select(shown: Shown): void {
    for (const { tab } of this.#shown.values()) tab.ariaPressed = String(tab === shown.tab);
    this.#wire.replaceChildren(shown.story.element);
    this.#tabs.scrollLeft = 0;
  }
}

function button(title: string, ask: () => Promise<void>): HTMLButtonElement {
  const element = make("button", "", title);
  element.type = "button";
  element.onclick = async () => {
    element.disabled = true;
    await ask();
    element.disabled = false;
    element.focus();
  };
  return element;
}

function probeIn(target: string): string | null {
  return new URL(target, location.href).searchParams.get(PROBE);
}

function titleOf(name: string): string {
  if (name === OWN_PROBE.name) return OWN_PROBE.title;
  return (PROBES as Readonly<Record<string, { readonly title: string }>>)[name]?.title ?? name;
}
