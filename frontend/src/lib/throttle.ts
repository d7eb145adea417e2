const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Calls at once, then again no sooner than `ms` later and never before the last call has ended;
 * whatever comes in between makes one late call.
 */
export function throttle(ms: number, call: () => Promise<unknown>): () => void {
  let busy = false;
  let late = false;
  const run = async () => {
    busy = true;
    late = false;
    await Promise.allSettled([call(), sleep(ms)]);
    busy = false;
    if (late) void run();
  };
  return () => {
    if (busy) late = true;
    else void run();
  };
}
