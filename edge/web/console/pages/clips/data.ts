import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type * as shapes from '../../../clip-schemas.ts';
import { api, call, query } from '../../api.ts';

export type Clip = z.infer<typeof shapes.clipView>;
export type Voice = z.infer<typeof shapes.voicesView>[number];

/** Shared with the page of broadcast: what is made here can be played there at once. */
export const clipsKey = ['broadcast', 'clips'] as const;
/** EBU R 128. */
export const loudnessUnit = 'LUFS';
/** As the server has it. */
export const uploadBytes = 64_000_000;
/** An hour of sound is made even in half a minute on a slow box, ms. */
const makingTime = 300_000;

export function useClips() {
  return useQuery({
    queryKey: clipsKey,
    queryFn: ({ signal }) => api.get<readonly Clip[]>('broadcast/clips', signal),
  });
}

export function useVoices() {
  return useQuery({
    queryKey: ['broadcast', 'voices'],
    queryFn: ({ signal }) => api.get<readonly Voice[]>('voices', signal),
  });
}

export interface NewClip {
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly ahead: boolean;
}

export async function uploadClip(file: Blob, clip: NewClip): Promise<void> {
  const type = /^(audio|video)\//.test(file.type) ? file.type : 'application/octet-stream';
  await call(`broadcast/clips${query({ ...clip })}`, { method: 'POST', body: file, type, patience: makingTime });
}

export interface SpokenText {
  readonly text: string;
  readonly voice?: string;
  readonly rate: number;
}

export async function speakClip(text: SpokenText, { id, zh, en, ahead }: NewClip): Promise<void> {
  await api.post(
    'broadcast/clips/speak',
    { ...text, id, name: { zh, en }, ahead, keep: true },
    { patience: makingTime },
  );
}

/** An address of this page alone; whoever has it lets it go. */
export async function previewText(text: SpokenText): Promise<string> {
  const answer = await call('broadcast/clips/preview', { method: 'POST', json: text, patience: makingTime });
  return URL.createObjectURL(await answer.blob());
}

/** People give names, the box wants a word of a-z: the English name, and something that no other has. */
export function newId(name: string): string {
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  const unlike = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return `${word === '' ? 'clip' : word}-${unlike.toString(36)}`;
}
