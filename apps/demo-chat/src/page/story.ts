// wire events → [story] → panel: one connection, from its request to its end

import {
  fieldMeaning,
  type Meaning,
  PHASES,
  ruleUrl,
  STATUSES,
  switches,
} from "../wire/meanings.ts";
import type { FieldLine, Frame, TracedEvent, WireEvent } from "../wire/wire-event.ts";
import { link, make } from "./dom.ts";
import { Tracks } from "./tracks.ts";

type Happened<Type extends TracedEvent["type"]> = Extract<TracedEvent, { readonly type: Type }>;
type Of = "request" | "response";

/** More frames than this are counted only. */
const MAX_FRAMES = 200;

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

export class Story {
  readonly element = make("div", "story");
  readonly #tracks = new Tracks();
  readonly #frames = make("ol", "frames");
  readonly #frameCount = make("span");
  #framesSeen = 0;
  // The body of a refusal is known before its head is sent.
  #body: string | undefined;

  constructor() {
    this.element.append(this.#tracks.element);
  }

  show(event: WireEvent): void {
    if (event.type === "frame") this.#frame(event);
    else if (event.type === "body") this.#body = event.text;
    else {
      this.#tracks.show(event);
      const told = this.#tell(event);
      if (told !== undefined) this.element.append(told);
    }
  }

  /** Something that is not of the trace. */
  remark(text: string): void {
    this.element.append(make("p", "moved", text));
  }

  #tell(event: TracedEvent): HTMLElement | undefined {
    switch (event.type) {
      case "request":
        return this.#request(event);
      case "response":
      case "interim-response":
        return this.#response(event);
      case "switched":
        return switched(event);
      case "taken":
        return taken(event);
      case "refused":
        return refused(event);
      case "moved":
        return moved(event);
      case "deadline":
        return make("p", "moved", "The deadline ", code(event.name), " passed.");
      case "closed": {
        const { kind, why } = event.reason;
        return make(
          "p",
          "moved",
          "HTTP is over: ",
          code(kind),
          why === undefined ? "." : `, ${why}`,
        );
      }
      case "io-closed": {
        const { bytesRead, bytesWritten } = event;
        const bytes = `${bytesRead} bytes in and ${bytesWritten} out, all in all`;
        return make("p", "moved", `The socket closed: ${bytes}.`);
      }
      default:
        return undefined;
    }
  }

  #request(event: Happened<"request">): HTMLElement {
    const { method, target, version, headers } = event;
    const start = `${method} ${target} HTTP/${version}`;
    const proposes = headers.some(
      ([name, value]) => name.toLowerCase() === "connection" && /\bupgrade\b/i.test(value),
    );
    return head("request", start, proposes ? PROPOSES : PROPOSES_NOTHING, headers);
  }

  #response(event: Happened<"response" | "interim-response">): HTMLElement {
    const { status, reason, version, headers } = event;
    const start = `HTTP/${version} ${status} ${reason}`;
    const card = head("response", start, STATUSES[status], headers);
    if (this.#body !== undefined) {
      const title = make("span", "", "and a body, because a refusal is a whole response:");
      card.append(make("div", "body", title, make("pre", "", this.#body.trimEnd())));
      this.#body = undefined;
    }
    return card;
  }

  #frame({ from, opcode, bytes, text }: Frame): void {
    if (this.#framesSeen++ === 0) {
      const title = make("h3", "", make("b", "", "Frames"), this.#frameCount);
      this.#frames.tabIndex = 0;
      this.#frames.setAttribute("aria-label", "Frames");
      this.element.append(make("section", "card", title, this.#frames));
    }
    this.#frameCount.textContent = `WebSocket now, no longer HTTP · ${plural(this.#framesSeen, "frame")}`;
    const item = make("li", from, make("span", "", from === "client" ? "↑" : "↓"));
    item.append(make("span", "", opcode), make("span", "", `${bytes} B`), make("code", "", text));
    item.title = `${opcode}, ${plural(bytes, "byte")}, from the ${from}\n${text}`;
    const { scrollTop, scrollHeight, clientHeight } = this.#frames;
    const follows = scrollHeight - scrollTop - clientHeight < 40;
    this.#frames.append(item);
    if (this.#frames.childElementCount > MAX_FRAMES) this.#frames.firstElementChild?.remove();
    if (follows) this.#frames.scrollTop = this.#frames.scrollHeight;
  }
}

function code(text: string): HTMLElement {
  return make("code", "", text);
}

function explained(meaning: Meaning): (Node | string)[] {
  const { says, rule } = meaning;
  if (rule === undefined) return [says];
  const source = link(ruleUrl(rule), rule);
  source.className = "rule";
  return [`${says} `, source];
}

function head(
  of: Of,
  start: string,
  meaning: Meaning | undefined,
  headers: readonly FieldLine[],
): HTMLElement {
  const title = of === "request" ? "Request" : "Response";
  const way = of === "request" ? "client → server" : "server → client";
  const card = make("section", `card ${of}`);
  card.append(make("h3", "", make("b", "", title), make("span", "", way)));
  card.append(make("p", "start", start));
  if (meaning !== undefined) card.append(make("p", "why", ...explained(meaning)));
  card.append(make("dl", "fields", ...headers.map((line) => field(of, line))));
  card.append(make("p", "end", "(an empty line: the head ends here)"));
  return card;
}

function field(of: Of, [name, value]: FieldLine): HTMLElement {
  const meaning = fieldMeaning(name, of);
  const row = make("div", switches(name) ? "switches" : "");
  row.append(make("dt", "", make("b", "", `${name}:`), ` ${value}`));
  row.append(make("dd", "", ...explained(meaning ?? UNKNOWN)));
  return row;
}

const PROPOSES: Meaning = {
  says: "The client asks for an address, and proposes to leave HTTP. A GET has no body.",
  rule: "RFC 9110 §7.8",
};
const PROPOSES_NOTHING: Meaning = {
  says: "The client asks for an address. Without the option “Upgrade” in Connection it proposes nothing, whatever Upgrade says.",
  rule: "RFC 9110 §7.8",
};
const UNKNOWN: Meaning = { says: "It plays no part in the switch." };

function switched({ protocol }: Happened<"switched">): HTMLElement {
  const text = "Request and 101 are exchanged. From the next byte on, both ends speak ";
  const says = make("p", "", text, code(protocol), " on the very same socket.");
  return make("section", "moment", make("b", "", "⇄ The switch"), says);
}

function taken({ by, readBuf }: Happened<"taken">): HTMLElement {
  const held = make("p", "", code("readBuf"), ` holds ${plural(readBuf, "byte")}. `);
  held.append(
    readBuf === 0
      ? "It is for bytes of the new protocol that arrived together with the request. A client may send none before it has the 101, so here it is empty."
      : "They arrived together with the request, but belong to the new protocol: they are handed over with the socket, and none is lost.",
  );
  const who = make("p", "", "The server's program took the socket, with ", code(by), ".");
  return make("section", "moment", make("b", "", "The socket changes hands"), who, held);
}

function refused({ status }: Happened<"refused">): HTMLElement {
  const says = make("p", "", "The proposal was answered with ", code(String(status)));
  says.append(", an ordinary response. Both ends still speak HTTP.");
  return make("section", "moment refused", make("b", "", "No switch"), says);
}

function moved({ from, to, cause }: Happened<"moved">): HTMLElement {
  const line = make("p", "moved", "The connection: ", code(from), " → ", code(to));
  line.append(` (${cause}): ${PHASES[to]}.`);
  return line;
}
