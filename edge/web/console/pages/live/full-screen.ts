/** Fills the screen with it, or gives the screen back. Telephones that cannot go on as they are. */
export function toggleFullScreen(element: HTMLElement | null): void {
  if (document.fullscreenElement !== null) void document.exitFullscreen().catch(() => {});
  else if (element !== null && document.fullscreenEnabled) void element.requestFullscreen().catch(() => {});
}
