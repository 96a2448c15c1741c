const WIDTH = 2000;
const HEIGHT = 1500;
const CIRCLES = 60;

/** A picture large enough to be worth compressing, for who has none at hand. */
export async function drawing() {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext('2d');
  const sky = context.createLinearGradient(0, 0, 0, HEIGHT);
  sky.addColorStop(0, '#27408b');
  sky.addColorStop(1, '#f4c095');
  context.fillStyle = sky;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  for (let i = 0; i < CIRCLES; i++) {
    context.fillStyle = `hsl(${(i * 47) % 360} 70% 60% / 0.35)`;
    context.beginPath();
    context.arc((i * 733) % WIDTH, (i * 389) % HEIGHT, 40 + ((i * 61) % 160), 0, 2 * Math.PI);
    context.fill();
  }
  return new File([await canvas.convertToBlob({ type: 'image/png' })], 'drawing.png', {
    type: 'image/png',
  });
}
