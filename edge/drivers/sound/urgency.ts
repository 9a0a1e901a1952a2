import { constants, setPriority } from 'node:os';

/**
 * Puts this process before others of the machine, so that a busy one does not tear holes into the sound. Only who may do so can
 * (root, CAP_SYS_NICE, LimitNICE of systemd): false where it may not, and then it is as before.
 */
export function putSoundFirst(): boolean {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
    return true;
  } catch {
    return false;
  }
}
