import { hashOf } from '../../address.ts';

/** Of a plan, with a device that is open on it, and whether things are being placed. */
export function mapHash(plan: string, device: string | null = null, isEditing = false): string {
  return hashOf(`/map/${plan}`, { device: device ?? '', edit: isEditing ? 'yes' : '' });
}
