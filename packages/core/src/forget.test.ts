import { expect, test } from "vitest";
import { textToLatin1 } from "./base/octets.ts";
import { forget } from "./forget.ts";
import { HttpConnection } from "./http-connection.ts";

const head = (line: string, ...fields: string[]): string =>
  [`${line} HTTP/1.1`, "Host: a.test", ...fields, "", ""].join("\r\n");

function server(...pieces: string[]): HttpConnection {
  const http = new HttpConnection("server");
  for (const piece of pieces) http.receiveData(textToLatin1(piece));
  return http;
}

/** The next request, and its end. */
function requestOf(http: HttpConnection) {
  const event = http.nextEvent();
  if (typeof event !== "object" || event.type !== "request") throw new Error(JSON.stringify(event));
  return event;
}

function answer(http: HttpConnection): string {
  const date = "Thu, 26 Nov 2026 12:00:00 GMT";
  const sent = http.send({
    type: "response",
    status: 200,
    headers: [["A", "b"]],
    bodyLength: 0,
    date,
  });
  http.send({ type: "end-of-message" });
  return String.fromCharCode(...sent);
}

test("the headers of the current request are still readable, whether read before or not", () => {
  const http = server(head("GET /", "X-Long-Enough-Name: one", "B: two"));
  const { headers } = requestOf(http);
  expect(headers.get("b")).toBe("two");
  forget();
  expect([headers.get("B"), headers.get("x-long-enough-name")]).toEqual(["two", "one"]);
  expect([...headers]).toHaveLength(3);
});

test("a request in the same chunk as the one before is read as usual", () => {
  const http = server(
    `${head("GET /1", "A: 1")}${head("GET /2", "A: 2")}${head("GET /3", "A: 3")}`,
  );
  for (const number of ["1", "2", "3"]) {
    const { target, headers } = requestOf(http);
    expect([target, headers.get("a")]).toEqual([`/${number}`, number]);
    expect(http.nextEvent()).toMatchObject({ type: "end-of-message" });
    answer(http);
    http.startNextCycle();
    forget();
  }
});

test("a head received in pieces continues where it was", () => {
  const whole = head("GET /", "A: 1");
  const http = server(whole.slice(0, 20));
  expect(http.nextEvent()).toBe("need-data");
  forget();
  http.receiveData(textToLatin1(whole.slice(20)));
  expect(requestOf(http).headers.get("a")).toBe("1");
});

test("the same request gets the same answer, and a proposal can be accepted", () => {
  const sent = [0, 1].map(() => {
    const http = server(head("GET /"));
    requestOf(http);
    http.nextEvent();
    forget();
    return answer(http);
  });
  expect(sent[0]).toBe(sent[1]);
  const http = server(head("GET /", "Connection: Upgrade", "Upgrade: chat"));
  expect(requestOf(http).proposal?.offers("chat")).toBe(true);
  http.nextEvent();
  forget();
  const headers = { Connection: "Upgrade", Upgrade: "chat" };
  http.send({ type: "response", status: 101, headers });
  expect(http.hasSwitched).toBe(true);
});
