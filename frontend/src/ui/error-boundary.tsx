import { Component, type ReactNode } from "react";
import { ProblemNote } from "./problem-note";

/** The last net: what no page's own error state has caught. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <main className="mx-auto max-w-xl p-4 sm:p-10">
        <h1 className="mb-3 font-semibold text-lg">The dashboard stopped working</h1>
        <ProblemNote error={this.state.error} onRetry={() => window.location.reload()} />
      </main>
    );
  }
}
