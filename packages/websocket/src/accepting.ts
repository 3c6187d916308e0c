// request → [accepting] → agreement, or a refusal: the server's end (RFC 6455 §4.2)

import type { Acceptance, Headers, ProposedRequest } from "@upgrade/core";
import { inWords, isToken, listMembers } from "@upgrade/core/io";
import { Agreed, type AgreedDeflate, type WebSocketAgreement } from "./agreement.ts";
import { agreedDeflate, DEFLATE, readDeflate, respondDeflate, writeDeflate } from "./deflate.ts";
import { formatExtension, type ListedExtension, parseExtensions } from "./extension-list.ts";
import { acceptOf, isKey } from "./key.ts";
import { invalid, type PerMessageDeflateOptions, type Resolved } from "./options.ts";
import { type RefusalReason, refusal, type WebSocketRefusal } from "./refusals.ts";

/** The server's answer to a request. */
export function accept(
  request: ProposedRequest,
  options: Resolved,
): Acceptance<WebSocketAgreement> | WebSocketRefusal {
  const { headers, version } = request;
  const fault = faultOf(request, options);
  if (fault !== undefined) return refusal(fault.reason, version, fault.found);

  const offered = subprotocolsIn(headers);
  if (offered === undefined) return refusal("malformed-subprotocols", version);
  const extensions = parseExtensions(headers.get("sec-websocket-extensions") ?? "");
  if (extensions === undefined) return refusal("malformed-extensions", version);
  const protocol = chosen(offered, request, options);
  if (protocol === "" && options.requireSubprotocol) {
    const { subprotocols } = options;
    const spoken = typeof subprotocols === "function" ? "" : subprotocols.join(", ");
    return refusal("no-subprotocol", version, spoken);
  }
  const agreed = acceptDeflate(extensions, options.deflate);

  const lines: [string, string][] = [];
  // RFC 8441 §5: HTTP/2 has neither a key nor an accept value.
  if (version !== "2") {
    lines.push(["Sec-WebSocket-Accept", acceptOf(headers.get("sec-websocket-key")!)]);
  }
  if (protocol !== "") lines.push(["Sec-WebSocket-Protocol", protocol]);
  if (agreed !== undefined) {
    lines.push(["Sec-WebSocket-Extensions", formatExtension(agreed.listed)]);
  }
  return { agreement: new Agreed("server", protocol, agreed), headers: lines };
}

interface Fault {
  readonly reason: RefusalReason;
  readonly found?: string;
}

const ONCE = ["Sec-WebSocket-Version", "Sec-WebSocket-Key", "Origin"];

function faultOf(request: ProposedRequest, { origins }: Resolved): Fault | undefined {
  const { headers, version } = request;
  if (version !== "2") {
    if (version !== "1.1") return { reason: "old-http" };
    if (request.method !== "GET") return { reason: "wrong-method" };
    if (!proposes(headers)) return { reason: "no-proposal" };
  }
  const repeated = ONCE.find((name) => headers.getAll(name).length > 1);
  if (repeated !== undefined) return { reason: "repeated-field", found: repeated };
  const wanted = headers.get("sec-websocket-version");
  if (wanted === undefined) return { reason: "no-version" };
  if (wanted !== "13") return { reason: "wrong-version" };
  if (version !== "2") {
    const key = headers.get("sec-websocket-key");
    if (key === undefined) return { reason: "no-key" };
    if (!isKey(key)) return { reason: "wrong-key" };
  }
  return isWelcome(request, origins) ? undefined : { reason: "wrong-origin" };
}

// RFC 6455 §4.2.1, items 3 and 4.
function proposes(headers: Headers): boolean {
  const has = (name: string, member: string): boolean =>
    listMembers(headers.get(name) ?? "").some((one) => one.toLowerCase() === member);
  return has("upgrade", "websocket") && has("connection", "upgrade");
}

function isWelcome(request: ProposedRequest, origins: Resolved["origins"]): boolean {
  if (origins === undefined) return true;
  const origin = request.headers.get("origin");
  if (typeof origins !== "function") {
    // RFC 6455 §10.2: every browser sends it, and another client can send what it likes.
    return origin === undefined || origins.has(origin.toLowerCase());
  }
  const answer: unknown = origins(origin, request);
  // A promise would be true.
  if (typeof answer === "boolean") return answer;
  throw invalid(
    `the function in origins must return a boolean at once; it returned ${inWords(answer)}`,
  );
}

/** What the client offers, in its order; undefined if the list is malformed. */
function subprotocolsIn(headers: Headers): string[] | undefined {
  const offered = listMembers(headers.get("sec-websocket-protocol") ?? "");
  // RFC 6455 §4.1: all must be unique.
  const isList = offered.every(isToken) && new Set(offered).size === offered.length;
  return isList ? offered : undefined;
}

function chosen(
  offered: readonly string[],
  request: ProposedRequest,
  { subprotocols }: Resolved,
): string {
  if (typeof subprotocols !== "function") {
    return offered.find((one) => subprotocols.includes(one)) ?? "";
  }
  const choice: unknown = subprotocols(offered, request);
  if (choice === undefined) return "";
  if (typeof choice === "string" && offered.includes(choice)) return choice;
  const came = typeof choice === "string" ? "another" : inWords(choice);
  throw invalid(
    `the function in subprotocols must return one of those offered, or undefined, at once; it returned ${came}`,
  );
}

// RFC 7692 §5: the first offer that suits. The others, and other extensions, are declined, which
// does not refuse the WebSocket.
function acceptDeflate(
  extensions: readonly ListedExtension[],
  options: PerMessageDeflateOptions | undefined,
): AgreedDeflate | undefined {
  if (options === undefined) return undefined;
  for (const { name, params } of extensions) {
    if (name !== DEFLATE) continue;
    const offered = readDeflate(params);
    if (typeof offered === "string") continue;
    const response = respondDeflate(offered, options);
    if (response === undefined) continue;
    const listed = { name, params: writeDeflate(response) };
    return { listed, deflate: agreedDeflate(response) };
  }
  return undefined;
}
