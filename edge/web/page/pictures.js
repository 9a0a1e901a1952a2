import { api } from './api.js';
import { byId, make, setText } from './dom.js';
import { say } from './state.js';

/* Pictures need the token, so they are fetched and shown from memory: at most this many are kept. */

const mostKept = 80;
const tries = 5;
const settles = 2_500;
const pictures = new Map();

async function load(id, time) {
  // A picture may follow its event by a second or two; asking for what cannot be there yet would only be refused.
  const young = Date.now() - time;
  if (young >= 0 && young < settles) await new Promise((resolve) => setTimeout(resolve, settles - young));
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await api(`/api/v1/events/${id}/snapshot`);
      return URL.createObjectURL(await answer.blob());
    } catch (error) {
      if (attempt === tries || error.status === 401) return null;
      await new Promise((resolve) => setTimeout(resolve, 1_000 * attempt));
    }
  }
}

function pictureOf(id, time) {
  const known = pictures.get(id);
  if (known !== undefined) return known;
  const loading = load(id, time);
  pictures.set(id, loading);
  void loading.then((url) => {
    if (url === null) pictures.delete(id);
  });
  if (pictures.size > mostKept) {
    const [oldest, gone] = pictures.entries().next().value;
    pictures.delete(oldest);
    void gone.then((url) => url !== null && URL.revokeObjectURL(url));
  }
  return loading;
}

/** A frame of fixed shape, so that nothing moves when the picture comes; a click enlarges it. */
export function pictureFrame() {
  const image = make('img', { alt: '', hidden: true });
  const note = make('span', { className: 'note' });
  const root = make('button', { type: 'button', className: 'picture' }, image, note);
  let shown;
  let caption = '';
  root.addEventListener('click', () => {
    if (!image.hidden) enlarge(image.src, caption);
  });
  return {
    root,
    /** Of the event `id`, which happened at `time`. */
    update(id, time, words) {
      caption = words;
      image.alt = words;
      root.title = say('enlarge');
      root.setAttribute('aria-label', `${say('enlarge')} · ${words}`);
      if (shown === id) {
        if (image.hidden) setText(note, say(root.disabled ? 'noPicture' : 'loadingPicture'));
        return;
      }
      shown = id;
      image.hidden = true;
      root.disabled = false;
      setText(note, say('loadingPicture'));
      void pictureOf(id, time).then((url) => {
        if (shown !== id) return;
        root.disabled = url === null;
        if (url === null) return setText(note, say('noPicture'));
        image.src = url;
        image.hidden = false;
        setText(note, '');
      });
    },
  };
}

function enlarge(url, caption) {
  const dialog = byId('picture-dialog');
  byId('picture-large').src = url;
  byId('picture-large').alt = caption;
  setText(byId('picture-caption'), caption);
  dialog.showModal();
}
