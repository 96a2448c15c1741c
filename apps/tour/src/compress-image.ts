import sharp from 'sharp';

const LONGEST_SIDE_PX = 1600;

/**
 * Writes a smaller WebP of an image.
 *
 * @throws {Error} For what is no image.
 */
export async function compressImage(source: string, target: string): Promise<void> {
  await sharp(source)
    .autoOrient()
    .resize({
      width: LONGEST_SIDE_PX,
      height: LONGEST_SIDE_PX,
      fit: 'inside',
      withoutEnlargement: true,
    })
    .webp({ quality: 75 })
    .toFile(target);
}
