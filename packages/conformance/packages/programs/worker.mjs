// The entry of a bundle for workerd, as `workerd test` runs it.
import { story } from "./story.mjs";

export default {
  async test() {
    console.log(await story());
  },
};
