// application → [testing] → transport: helpers to test a transport, or code that uses one

export { type Clock, ManualClock } from "../driver/clock.ts";
export type { ByteStream } from "../transports/byte-stream.ts";
export { memoryPair } from "../transports/memory-pair.ts";
export {
  type MakePair,
  type TransportCase,
  type TransportSuiteOptions,
  transportSuite,
} from "./transport-suite.ts";
