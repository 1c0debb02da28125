// Decodes masks in a worker, so that a large one does not hold it up.
import { decodeGray } from "./png.js";

self.onmessage = async ({ data: { id, bytes } }) => {
  try {
    const picture = await decodeGray(bytes);
    self.postMessage({ id, picture }, [picture.values.buffer]);
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
