import { expect, test } from "vitest";
import { readCommandLine, UsageError } from "../src/command-line.ts";

test.each([
  [
    "",
    { do: "serve", host: "127.0.0.1", port: undefined, once: false, trace: false, log: undefined },
  ],
  [
    "--port 0 --host ::1 --once --trace --log a.log",
    { do: "serve", host: "::1", port: 0, once: true, trace: true, log: "a.log" },
  ],
  [
    "--port=65535",
    { do: "serve", host: "127.0.0.1", port: 65535, once: false, trace: false, log: undefined },
  ],
  [
    "--join http://127.0.0.1:8080/ --name carol",
    { do: "join", url: new URL("http://127.0.0.1:8080/"), name: "carol", trace: false },
  ],
  [
    "--join http://a.test --trace",
    { do: "join", url: new URL("http://a.test/"), name: undefined, trace: true },
  ],
  ["--help", { do: "help" }],
  ["-h", { do: "help" }],
])("reads %j", (line, command) => {
  expect(readCommandLine(line.split(" ").filter((word) => word !== ""))).toEqual(command);
});

test.each([
  [["--bogus"], "Unknown option '--bogus'"],
  [["now"], "Unexpected argument 'now'"],
  [["--port"], "Option '--port <value>' argument missing"],
  [["--port", "65536"], '--port takes a number from 0 to 65535, not "65536"'],
  [["--port", "-1"], undefined],
  [["--port="], '--port takes a number from 0 to 65535, not ""'],
  [["--port", "8e3"], '--port takes a number from 0 to 65535, not "8e3"'],
  [["--name", "carol"], "--name requires --join"],
  [
    ["--join", "http://a.test", "--log", "a"],
    "--join can only be combined with --name and --trace",
  ],
  [["--join", "http://a.test", "--once"], "--join can only be combined with --name and --trace"],
  [
    ["--join", "http://a.test", "--port", "1"],
    "--join can only be combined with --name and --trace",
  ],
  [["--join", "a.test"], '--join takes an address that begins with http://, not "a.test"'],
  [["--join", "wss://a.test"], undefined],
  [["--join", "http://a.test", "--name", " "], "--name takes 1 to 24 printable characters"],
])("refuses %j in one line", (args, message) => {
  const read = () => readCommandLine(args);
  expect(read).toThrow(UsageError);
  if (message !== undefined) expect(read).toThrow(message);
  expect(read).toThrow(/^[^\n]+$/);
});
