const place = document.getElementById('notice');
let timer;

/** Says for a while, at the foot of the page, what has come of an action. */
export function notice(text, isBad = false) {
  place.textContent = text;
  place.classList.toggle('is-bad', isBad);
  place.hidePopover();
  place.showPopover(); // above a sheet that was opened since
  clearTimeout(timer);
  timer = setTimeout(() => place.hidePopover(), isBad ? 12_000 : 5000);
}
