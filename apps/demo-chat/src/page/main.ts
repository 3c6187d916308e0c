// browser → [main] → page: joins the parts

import type { Clock } from "@upgrade/core/io";
import { type ChatEvent, LOBBY, MAX_NAME_LENGTH, roomOfPath } from "../protocol.ts";
import { OWN_PROBE, PROBE, WIRE } from "../wire/probe-table.ts";
import { ChatConnection, type Status } from "./chat-connection.ts";
import { the } from "./dom.ts";
import { Log } from "./log.ts";
import { Panel, showOwnEnd } from "./panel.ts";
import { People } from "./people.ts";
import { randomId, WireFeed } from "./wire-feed.ts";

const MAX_TEXT_LENGTH = 10_000;
const SUBPROTOCOL = "chat.v1";

const clock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, callback) => setTimeout(callback, ms),
  clearTimer: (timer) => clearTimeout(timer as number),
};

const input = the("input", HTMLTextAreaElement);
const button = the("button", HTMLButtonElement);
const label = the("label", HTMLLabelElement);
const state = the("state", HTMLElement);
const log = new Log(the("log", HTMLElement), the("newest", HTMLButtonElement));
const people = new People(the("people", HTMLElement), the("count", HTMLElement));
const room = roomOfPath(location.pathname) ?? LOBBY;
const id = randomId();

/** Has asked to join, and was not turned away. */
let hasJoined = false;
let ticking: number | undefined;

const feed = new WireFeed(id, (message) => panel.receive(message));
const panel = new Panel({
  async ask(name) {
    await feed.open();
    return feed.ask(name);
  },
  async askOwn() {
    await feed.open();
    const socket = new WebSocket(chatUrl({ name: "probe", [PROBE]: OWN_PROBE.name }), "chat.v9");
    await new Promise<void>((resolve) => {
      socket.onclose = ({ code }) => {
        // The trace arrives on another connection, and may be later.
        setTimeout(() => {
          showOwnEnd(panel, code);
          resolve();
        }, 200);
      };
    });
  },
  onRefused(status, body) {
    const why = body === "" ? `the server refused with ${status}` : body.replace(/\.$/, "");
    // A 503 may be over soon; another refusal would be the same again.
    connection.refused(why, status !== 503);
  },
});

const connection = new ChatConnection({
  async connect(name) {
    await feed.open();
    return new WebSocket(chatUrl({ name }), SUBPROTOCOL);
  },
  clock,
  random: Math.random,
  onStatus: showStatus,
  onEvent: receive,
  onPending: (texts) => log.pending(connection.you ?? "you", texts),
});

function chatUrl(query: Readonly<Record<string, string>>): URL {
  const inRoom = room === LOBBY ? query : { ...query, room };
  const url = new URL(`/chat?${new URLSearchParams({ ...inRoom, [WIRE]: id })}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}

function showStatus(status: Status): void {
  clearInterval(ticking);
  state.dataset.is = status.is;
  if (status.is === "open") {
    state.textContent = "connected";
    return;
  }
  people.clear();
  if (status.is === "connecting") {
    state.textContent = "connecting…";
  } else if (status.is === "closed") {
    state.textContent = "not connected";
    log.note(`You are out: ${status.why}.`, true);
    askName();
  } else {
    log.noteOnce(`Not connected: ${status.why}. Trying again by itself.`);
    countDown(status.at);
  }
}

function countDown(at: number): void {
  const tick = (): void => {
    const seconds = Math.max(1, Math.ceil((at - clock.now()) / 1000));
    state.textContent = `trying again in ${seconds} s`;
  };
  tick();
  ticking = window.setInterval(tick, 1000);
}

function receive(event: ChatEvent): void {
  if (event.type === "welcome") welcome(event.you ?? "", event.people);
  else if (event.type === "joined") {
    people.add(event.name);
    log.note(`${event.name} joined`);
  } else if (event.type === "left") {
    people.remove(event.name);
    log.note(`${event.name} left`);
  } else if (event.type === "message") {
    log.say(event.from, event.text, event.from === connection.you);
  } else if (event.type === "error") log.note(event.reason, true);
}

function welcome(you: string, others: readonly string[]): void {
  people.set(you, others);
  const alone = " Nobody else is here yet: open this page in a second window.";
  log.note(`Welcome, ${you}.${others.length === 0 ? alone : ""}`);
}

function askName(): void {
  hasJoined = false;
  label.textContent = "Your name";
  input.placeholder = "Your name";
  input.maxLength = MAX_NAME_LENGTH;
  input.value = localStorage.getItem("name") ?? "";
  button.textContent = "Join";
}

function join(name: string): void {
  hasJoined = true;
  // As it was wanted: a number that the server added may be free next time.
  localStorage.setItem("name", name);
  label.textContent = "Message";
  input.placeholder = "Say something";
  input.maxLength = MAX_TEXT_LENGTH;
  input.value = "";
  button.textContent = "Send";
  connection.join(name);
}

function submit(): void {
  const text = input.value.trim();
  if (text === "") return;
  if (!hasJoined) join(text);
  else {
    connection.say(text);
    input.value = "";
  }
  input.focus();
}

the("form", HTMLFormElement).onsubmit = (event) => {
  event.preventDefault();
  submit();
};
input.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
};
for (const view of document.querySelectorAll<HTMLButtonElement>("[data-show]")) {
  view.onclick = () => {
    document.body.dataset.view = view.dataset.show;
    for (const one of document.querySelectorAll("[data-show]")) {
      one.ariaPressed = String(one === view);
    }
  };
}
addEventListener("online", () => connection.retryNow());
addEventListener("offline", () => connection.checkNow());

the("room", HTMLElement).textContent = room === LOBBY ? "" : `in ${room}`;
log.note("What is your name? Open a second window to chat with yourself, or join from a terminal.");
askName();
const wanted = new URLSearchParams(location.search).get("name");
if (wanted) join(wanted);
else input.focus();
