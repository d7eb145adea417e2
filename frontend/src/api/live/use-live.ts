import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useState, useSyncExternalStore } from "react";
import { throttle } from "@/lib/throttle";
import { experimentKey, leaderboardKey, sweepsKey } from "../experiments";
import { experimentRunsKey } from "../runs";
import type { ExperimentDetail, Sweep } from "../types";
import { LiveConnection } from "./connection";
import { changesScores, type LiveState, movesLeaderboard, sweepIn } from "./reduce";

const refetchEvery = 700;

/** A sweep has one home, the experiment in the cache, whoever tells of it: stream, action or request. */
function adoptSweep(cache: QueryClient, sweep: Sweep): void {
  cache.setQueryData<ExperimentDetail>(experimentKey(sweep.experiment_id), (old) => old && { ...old, sweep });
}

/** Asks who we are: if the token has expired, the answer leads to the login page. */
const checkSession = (cache: QueryClient) => () => void cache.invalidateQueries({ queryKey: ["me"] });

function experimentConnection(id: string, cache: QueryClient): LiveConnection {
  const refresh = (queryKey: readonly string[], exact: boolean) =>
    throttle(refetchEvery, () => cache.invalidateQueries({ queryKey, exact }));
  const leaderboard = refresh(leaderboardKey(id), false);
  const experiment = refresh(experimentKey(id), true);
  const sweeps = refresh(sweepsKey(id), true);
  const runs = refresh(experimentRunsKey(id), false);
  const scores = refresh(["runs"], false);
  return new LiveConnection(`/ws/experiments/${id}`, {
    onLost: checkSession(cache),
    onMessages: (messages) => {
      const sweep = sweepIn(messages);
      if (sweep) adoptSweep(cache, sweep);
      const restarted = messages.some(({ type }) => type === "snapshot");
      if (restarted || messages.some(movesLeaderboard)) leaderboard();
      if (messages.some(({ type }) => type.startsWith("experiment."))) {
        experiment();
        sweeps();
      }
      if (messages.some(changesScores)) {
        runs();
        scores();
      }
    },
  });
}

export type Live = LiveState & { adopt: (sweep: Sweep) => void };

function useConnection(make: () => LiveConnection): LiveState {
  const [connection] = useState(make);
  return useSyncExternalStore(connection.subscribe, connection.state);
}

/** The live state of one experiment. A component that shows another one needs another `key`. */
export function useExperimentLive(id: string): Live {
  const cache = useQueryClient();
  const state = useConnection(() => experimentConnection(id, cache));
  return { ...state, adopt: (sweep) => adoptSweep(cache, sweep) };
}

/** The live state of everything. */
export function useDashboardLive(): LiveState {
  const cache = useQueryClient();
  return useConnection(() => new LiveConnection("/ws/dashboard", { onLost: checkSession(cache) }));
}
