"""The font stacks a newsletter may choose from. No web fonts: nothing is loaded from anywhere."""

from dataclasses import dataclass

from mailer.i18n import N_


@dataclass(frozen=True, slots=True)
class FontStack:
    """`css` is a ``font-family`` value; `office` the same for Outlook on Windows, which falls back to Times on any
    family it does not know; `label` a gettext id for forms.
    """

    css: str
    office: str
    label: str


STACKS: dict[str, FontStack] = {
    "sans": FontStack(
        '"PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", SimSun, sans-serif',
        '"Microsoft YaHei", SimSun, sans-serif',
        N_("Sans-serif (Hei)"),
    ),
    "serif": FontStack(
        '"Songti SC", STSong, "Noto Serif CJK SC", SimSun, serif',
        "SimSun, serif",
        N_("Serif (Song)"),
    ),
    "fangsong": FontStack(
        'FangSong_GB2312, FangSong, STFangsong, "Noto Serif CJK SC", SimSun, serif',
        "FangSong, SimSun, serif",
        N_("Fangsong, as in official documents"),
    ),
}
# Mastheads and titles in the serif that print uses for them.
TITLE_STACKS: dict[str, FontStack] = {
    "serif": FontStack(
        'FZXiaoBiaoSong-B05S, STZhongsong, "Songti SC", "Noto Serif CJK SC", SimSun, serif',
        "STZhongsong, SimSun, serif",
        STACKS["serif"].label,
    ),
}
