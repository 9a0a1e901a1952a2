import { describe, expect, it } from 'vitest';
import { EdgeTarget, stepTowardsEdge } from '../../../edge/web/console/kit/player-edge.ts';
import { liveTiles } from '../../../edge/web/console/kit/player-wall.ts';
import { playerWords, reasonOfPlayer } from '../../../edge/web/console/kit/player-words.ts';

describe('a player at the live edge', () => {
  const at = (lag: number, target = 0) => stepTowardsEdge({ start: 100, end: 200, current: 200 - lag, target });

  it('plays as it comes, hurries when it is behind, and jumps when it is far behind', () => {
    expect(at(0.1)).toEqual({ kind: 'play', rate: 1 });
    expect(at(0.3)).toEqual({ kind: 'play', rate: 1.1 });
    expect(at(1.2)).toEqual({ kind: 'jump', to: 199.9 });
  });

  it('goes to what has come when that lies elsewhere: at the start, and after the stream began anew', () => {
    expect(stepTowardsEdge({ start: 3_600, end: 3_601, current: 0, target: 0 })).toEqual({ kind: 'jump', to: 3_600.9 });
    expect(stepTowardsEdge({ start: 0, end: 0.5, current: 90, target: 0 })).toEqual({ kind: 'jump', to: 0.4 });
    expect(stepTowardsEdge({ start: 0, end: 0.04, current: 90, target: 0 })).toEqual({ kind: 'jump', to: 0 });
  });

  it('keeps more in hand after it stood still again and again, and less when it is calm', () => {
    const target = new EdgeTarget();
    target.stalled(0);
    expect(target.seconds).toBe(0);
    target.stalled(1_000);
    expect(target.seconds).toBeCloseTo(0.12);
    for (let time = 2_000; time < 60_000; time += 500) target.stalled(time);
    expect(target.seconds).toBe(1.5);
    expect(at(1.6, target.seconds)).toEqual({ kind: 'play', rate: 1 });
    target.calm(70_000);
    expect(target.seconds).toBe(1.5);
    for (let time = 90_000; time < 1_000_000; time += 21_000) target.calm(time);
    expect(target.seconds).toBe(0);
  });

  it('does not take for standing still what a slow camera lets it wait for each picture, or its own jump', () => {
    const target = new EdgeTarget();
    for (let time = 0; time < 10_000; time += 250) {
      target.arrived(time);
      target.plays(time);
      target.waits(time + 10, false);
    }
    target.waits(10_010, true);
    target.plays(11_000);
    expect(target.seconds).toBe(0);
    for (const time of [20_000, 21_000]) {
      target.waits(time, false);
      target.waits(time + 100, false);
      target.plays(time + 500);
    }
    expect(target.seconds).toBeCloseTo(0.12);
  });
});

describe('a wall', () => {
  const cameras = ['a', 'b', 'c', 'd'];

  it('in smart mode is live where something happens, and nowhere else', () => {
    expect([...liveTiles(cameras, 'smart', new Set(['c']), 16)]).toEqual(['c']);
    expect([...liveTiles(cameras, 'all', new Set(['c']), 16)]).toEqual(['c', 'a', 'b', 'd']);
  });

  it('never shows more live than it may, those where something happens first', () => {
    expect([...liveTiles(cameras, 'all', new Set(['d']), 2)]).toEqual(['d', 'a']);
    expect([...liveTiles(cameras, 'smart', new Set(cameras), 3)]).toHaveLength(3);
  });
});

describe('what a player says', () => {
  it.each([
    'password',
    'missing',
    'busy',
    'codec',
    'no-ffmpeg',
    'old-ffmpeg',
    'unreachable',
    'no-address',
    'stalled',
    'ended',
    'media',
    'lost',
  ])('has words for %s in both languages', (reason) => {
    expect(reasonOfPlayer(reason, playerWords.zh)).toMatch(/[\u3400-\u9fff]/);
    expect(reasonOfPlayer(reason, playerWords.en)).toMatch(/^[A-Z]/);
  });

  it('says nothing of a reason that it does not know', () => {
    expect(reasonOfPlayer('constructor', playerWords.en)).toBe('');
  });
});
