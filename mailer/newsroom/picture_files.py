"""A picture somebody uploaded becomes one that mail can carry: decoded within bounds, turned upright, made no wider
than a mail, encoded anew. What else the file held (places, cameras, comments, programs behind it) is gone.
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

from mailer.errors import UnreadableError
from mailer.i18n import N_

# Twice what the widest theme shows: sharp on a phone, small in a mail.
WIDEST, TALLEST = 1280, 4_000
# Decoded, three bytes each: more than any camera of an office makes, less than what hurts a worker.
MOST_PIXELS = 25_000_000
QUALITY = 82
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
# Mail programs that invert a dark page turn what is transparent black on black.
GROUND = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """`name` is what it is served as: the hash of its content with the ending of its kind."""

    name: str
    media_type: str
    width: int
    height: int
    content: bytes


def prepare(content: bytes) -> PictureFile:
    """`content`, of a stranger, as a picture for mail. Raises `UnreadableError` with what is wrong."""
    try:
        image = _decode(content)
    except UnreadableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large() from None
    # Pillow's decoders raise whatever comes to them on a broken file.
    except Exception:  # noqa: BLE001
        raise UnreadableError(
            N_("This is no picture that can be read. Use JPEG, PNG, GIF, WebP, BMP or TIFF.")
        ) from None
    media_type, encoded = _encode(image)
    ending = "png" if media_type == "image/png" else "jpg"
    name = f"{hashlib.sha256(encoded).hexdigest()[:32]}.{ending}"
    return PictureFile(name, media_type, image.width, image.height, encoded)


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise _too_large()
        # A large JPEG is decoded at a smaller scale to begin with.
        opened.draft("RGB", (WIDEST * 2, TALLEST * 2))
        profile = opened.info.get("icc_profile")
        upright = ImageOps.exif_transpose(opened)
        image = _flat(upright)
    if profile:
        image = _in_srgb(image, profile)
    image.thumbnail((WIDEST, TALLEST), Image.Resampling.LANCZOS)
    # Nothing that came with the file goes on: some encoders would write it again.
    image.info.clear()
    return image


def _flat(image: Image.Image) -> Image.Image:
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, GROUND)
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as every screen shows them, since the profile does not go along; a broken profile changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return turned or image


def _encode(image: Image.Image) -> tuple[str, bytes]:
    """As PNG where that is smaller (charts, screenshots), else as JPEG."""
    photo, drawing = io.BytesIO(), io.BytesIO()
    image.save(photo, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    few = image.quantize(256) if image.getcolors(256) is not None else image
    few.save(drawing, "PNG", optimize=True)
    if drawing.tell() <= photo.tell():
        return "image/png", drawing.getvalue()
    return "image/jpeg", photo.getvalue()


def _too_large() -> UnreadableError:
    return UnreadableError(
        N_("This picture has more than %(most)s million pixels. Make it smaller and try again."),
        most=str(MOST_PIXELS // 1_000_000),
    )
