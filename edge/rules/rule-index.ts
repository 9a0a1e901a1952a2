import type { PointRef } from '#edge/domain/ids.ts';
import { type CompiledInstance, isSensing } from './compiled-rule.ts';
import type { InstanceMemory } from './rule-memory.ts';
import type { Sleeper } from './wake-list.ts';

/** An instance at work. */
export interface Running {
  readonly compiled: CompiledInstance;
  memory: InstanceMemory;
  /** On the monotonic clock. */
  readonly byMonotonic: Sleeper;
  /** On the wall clock. */
  readonly byTime: Sleeper;
  /** Pairs of leaf and point that were heard since the last look. */
  readonly touched: number[];
  /** The step it was last called for. */
  calledIn: number;
}

interface Touch {
  readonly running: Running;
  readonly leaf: number;
  readonly point: number;
}

/** Whom news concern: a reading, an event, a mode or an alarm costs one look-up, however many rules there are. */
export class RuleIndex {
  readonly byRef = new Map<PointRef, Touch[]>();
  readonly byEvent = new Map<string, Running[]>();
  readonly byMode = new Map<string, { readonly running: Running[]; isOn: boolean | null }>();
  /** By the rule that is waited for. */
  readonly byWatched = new Map<string, Running[]>();
  readonly byClock = new Set<Running>();

  add(running: Running): void {
    const events = new Set<string>();
    const modes = new Set<string>();
    const watched = new Set<string>();
    running.compiled.leaves.forEach((leaf, i) => {
      if (isSensing(leaf)) {
        for (const [at, ref] of leaf.refs.entries()) append(this.byRef, ref, { running, leaf: i, point: at });
      } else if (leaf.kind === 'event' || leaf.kind === 'events') events.add(leaf.type);
      else if (leaf.kind === 'mode') modes.add(leaf.mode);
      else if (leaf.kind === 'unacknowledged') watched.add(leaf.rule);
      else this.byClock.add(running);
    });
    for (const type of events) append(this.byEvent, type, running);
    for (const rule of watched) append(this.byWatched, rule, running);
    for (const mode of modes) {
      const known = this.byMode.get(mode);
      if (known === undefined) this.byMode.set(mode, { running: [running], isOn: null });
      else known.running.push(running);
    }
  }

  /** All at once: what many instances hear of is gone through once. */
  remove(gone: readonly Running[]): void {
    const isGone = new Set(gone);
    const refs = new Set<PointRef>();
    const events = new Set<string>();
    const modes = new Set<string>();
    const watched = new Set<string>();
    for (const running of gone) {
      this.byClock.delete(running);
      for (const leaf of running.compiled.leaves) {
        if (isSensing(leaf)) for (const ref of leaf.refs) refs.add(ref);
        else if (leaf.kind === 'event' || leaf.kind === 'events') events.add(leaf.type);
        else if (leaf.kind === 'unacknowledged') watched.add(leaf.rule);
        else if (leaf.kind === 'mode') modes.add(leaf.mode);
      }
    }
    const stays = (running: Running) => !isGone.has(running);
    for (const ref of refs) prune(this.byRef, ref, ({ running }) => stays(running));
    for (const type of events) prune(this.byEvent, type, stays);
    for (const rule of watched) prune(this.byWatched, rule, stays);
    for (const mode of modes) {
      const known = this.byMode.get(mode);
      const left = known?.running.filter(stays) ?? [];
      if (left.length === 0) this.byMode.delete(mode);
      else this.byMode.set(mode, { running: left, isOn: known?.isOn ?? null });
    }
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function prune<K, V>(map: Map<K, V[]>, key: K, keep: (value: V) => boolean): void {
  const left = (map.get(key) ?? []).filter(keep);
  if (left.length === 0) map.delete(key);
  else map.set(key, left);
}
