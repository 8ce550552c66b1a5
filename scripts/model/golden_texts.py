"""Invents the texts of the golden tokenizer set: seeded, from the word lists and ranges below.

Nothing comes from a data set. Each maker covers one way in which two tokenizers can disagree:
normalised characters, runs of spaces, unknown pieces, pairs of surrogates, length.
"""

from __future__ import annotations

import random
from collections.abc import Callable

SEED = 20240607

ENGLISH = (
    "the a of in on with for and from how where best cheap old new red blue quick broken wireless leather"
    " running kitchen garden travel winter summer battery charger keyboard bicycle lamp bottle jacket shoes"
    " recipe tutorial history invoice hospital library passport museum engineer database network function"
    " vector passage reranking tokenizer internationalization photosynthesis unbelievably rewriting"
    " McGregor O'Neill iPhone WiFi USB-C JSON e-mail state-of-the-art don't can't naïve café Zürich façade"
).split()
SIMPLIFIED = (
    "怎么 如何 办理 护照 手机 充电器 蓝牙 耳机 运动鞋 冬季 外套 厨房 台灯 儿童 自行车 感冒 头痛 医院 挂号 价格 多少钱 哪里 便宜"
    " 好吃 餐厅 推荐 学习 英语 编程 数据库 检索 排序 模型 向量 查询 文档 天气 北京 上海 火车票 退货 说明书 安装 教程 历史 博物馆"
    " 的 了 和 在 是 不 我 你 可以 需要 为什么 什么时候 魑魅魍魉 饕餮 齉 犇 囍"
).split()
TRADITIONAL = "臺灣 電腦 軟體 網路 資訊 圖書館 醫療 護照 買賣 機車 飛機 長頸鹿 聲音 體驗 麵包 龍蝦 憂鬱 鬱金香 廣東話 點樣 嘅 佢哋 咗".split()
KANA = "カフェ ラーメン コンピューター ひらがな さようなら ありがとう ｶﾌｪ ﾗｰﾒﾝ ﾊﾟｿｺﾝ ｶﾞｷﾞｸﾞ ﾃﾞｰﾀ ㍿ ㌔ ゔ ヷ ー〜".split()
FOREIGN = "привет мир документ поиск مرحبا بالعالم بحث שלום עולם γειά σου κόσμε สวัสดี नमस्ते 안녕하세요 한국어 ქართული հայերեն".split()
EMOJI = ("😀 👍 🎉 ❤️ ☀️ 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🏴‍☠️ 👍🏽 🤷🏿‍♀️ 🇨🇳 🇬🇧 1️⃣ #️⃣ ™️ ©️ 🫠 🧑‍🚀 ♟️ ⌚ ✂️ 🐻‍❄️").split(" ")
FULL_WIDTH = "ＡＢＣ１２３ ｆｕｌｌ－ｗｉｄｔｈ （括号） ！？ ，。；： 《标题》 【优惠】 「引用」 ￥９９．００ ％ ＠ ＃ ＆ ～".split()
COMBINING = [
    "e\u0301",
    "a\u0308",
    "n\u0303",
    "o\u0302\u0301",
    "z\u0335\u0321\u0310",
    "i\u0307",
    "\u0301x",
    "か\u3099",
    "は\u309a",
    "A\u030a",
    "q\u0323\u0307",
]
SPACES = [
    " ",
    "  ",
    "     ",
    "\t",
    "\n",
    "\r\n",
    "\n\n\n",
    "\u00a0",
    "\u2003",
    "\u200b",
    "\u3000",
    "\u202f",
    "\ufeff",
    " \t \n ",
    "\u2028",
    "\u200d",
    "\u2060",
]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + list("…—–“”‘’•·¿¡§¶†‡°±×÷€£¥₿№℃Ω㎏①⑩Ⅳⅸ½⅓²₃ﬁﬄ▁▂█")
WIDE_CJK = (0x20000, 0x2A6DF)
RANGES = [
    (0x01, 0x1F),
    (0x7F, 0x9F),
    (0xA0, 0x24F),
    (0x250, 0x36F),
    (0x370, 0x52F),
    (0x590, 0x6FF),
    (0x900, 0x97F),
    (0xE00, 0xE7F),
    (0x1100, 0x11FF),
    (0x1E00, 0x1FFF),
    (0x2000, 0x206F),
    (0x2070, 0x218F),
    (0x2190, 0x2BFF),
    (0x2E80, 0x303F),
    (0x3040, 0x33FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xE0FF),
    (0xF900, 0xFAFF),
    (0xFB00, 0xFDFF),
    (0xFE00, 0xFFFD),
    (0x10000, 0x100FF),
    (0x1D400, 0x1D7FF),
    (0x1F000, 0x1FAFF),
    WIDE_CJK,
    (0xE0020, 0xE007F),
]

EDGE_CASES = [
    "",
    " ",
    "     ",
    "\t",
    "\n",
    "\u3000",
    "\u00a0\u00a0",
    "\u200b",
    "\ufeff",
    "\u0000",
    "a\u0000b",
    "\u0007",
    "a",
    "Z",
    "中",
    "。",
    ".",
    "?!",
    " leading",
    "trailing ",
    "  both  ",
    "a  b   c",
    "▁",
    "▁▁a",
    "a▁b",
    "\u0301",
    "👩‍",
    "‍",
    "\ufe0f",
    "\ufffd",
    "\U0010fffd",
    "𠮷野家",
    "𪚥",
    "query: ",
    "query: query: ",
    "passage: x",
    "<mask>",
    "&lt;s&gt;",
    "中 文 字 符",
    "中\u3000文",
    "ｱ",
    "ﾞ",
    "ㇰ",
    "ｶﾞ",
    "①②③",
    "㈱",
    "ﷺ",
    "½",
    "²",
    "ß",
    "İ",
    "ı",
    "ſ",
]


def golden_texts() -> list[str]:
    """About 2,300 different texts; the same on every machine."""
    rng = random.Random(SEED)
    texts = list(EDGE_CASES)
    texts += PUNCTUATION + EMOJI + COMBINING
    for maker, count in _MAKERS:
        texts += [maker(rng) for _ in range(count)]
    texts += _long_texts(rng)
    return list(dict.fromkeys(texts))


def _words(words: list[str], glue: str, least: int, most: int) -> Callable[[random.Random], str]:
    return lambda rng: glue.join(rng.choices(words, k=rng.randint(least, most)))


def _english_sentence(rng: random.Random) -> str:
    text = " ".join(rng.choices(ENGLISH, k=rng.randint(2, 16)))
    case: Callable[[str], str] = rng.choice([str.capitalize, str.upper, str.title, str.strip])
    return case(text) + rng.choice([".", "?", "!", "", " …"])


def _mixed(rng: random.Random) -> str:
    lists = [ENGLISH, SIMPLIFIED, TRADITIONAL, KANA, FULL_WIDTH, EMOJI]
    parts = [rng.choice(rng.choice(lists)) for _ in range(rng.randint(2, 14))]
    return "".join(part + rng.choice(["", " "]) for part in parts)


def _spaced(rng: random.Random) -> str:
    words = rng.choices(ENGLISH + SIMPLIFIED, k=rng.randint(2, 8))
    return rng.choice(SPACES + [""]) + "".join(
        word + "".join(rng.choices(SPACES, k=rng.randint(1, 3))) for word in words
    )


def _controlled(rng: random.Random) -> str:
    text = list(rng.choice(ENGLISH) + rng.choice(SIMPLIFIED) + rng.choice(ENGLISH))
    for _ in range(rng.randint(1, 4)):
        text.insert(rng.randint(0, len(text)), chr(rng.choice([*range(32), *range(127, 160)])))
    return "".join(text)


def _combined(rng: random.Random) -> str:
    return "".join(rng.choice(ENGLISH + [""]) + rng.choice(COMBINING) for _ in range(rng.randint(1, 6)))


def _address(rng: random.Random) -> str:
    path = "/".join(rng.choices(ENGLISH, k=rng.randint(1, 4)))
    query = f"?q={rng.choice(SIMPLIFIED + ENGLISH)}&page={rng.randint(1, 999)}%20#L{rng.randint(1, 99)}"
    return f"{rng.choice(['https', 'http', 'ftp'])}://{rng.choice(['www.example.org', 'example.com:8080', '例子.测试'])}/{path}{query}"


def _numbers(rng: random.Random) -> str:
    value = rng.randint(0, 10 ** rng.randint(1, 14))
    shape = rng.choice(
        [
            "{:,}",
            "{}",
            "-{}",
            "¥{:,}.00",
            "{}%",
            "+86 {}",
            "v{}.2.1-beta",
            "{}cm×2",
            "2024-06-{} 08:30",
            "第{}章",
            "０{}",
        ]
    )
    return shape.format(value) + rng.choice(["", " kg", "元", "㎡", "°C"])


def _code(rng: random.Random) -> str:
    name = "_".join(rng.choices(ENGLISH, k=2))
    return rng.choice(
        [
            f"def {name}(x): return x[{rng.randint(0, 9)}]",
            f'{{"{name}": [null, true]}}',
            f"{name}::<T>() -> &'a str",
            f"SELECT * FROM `{name}`;",
        ]
    )


def _any_characters(rng: random.Random) -> str:
    return "".join(chr(rng.randint(*rng.choice(RANGES))) for _ in range(rng.randint(1, 24)))


def _one_range(rng: random.Random) -> str:
    low, high = rng.choice(RANGES)
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 20)))


def _wide_cjk(rng: random.Random) -> str:
    return "".join(
        rng.choice([chr(rng.randint(*WIDE_CJK)), rng.choice(SIMPLIFIED)]) for _ in range(rng.randint(1, 10))
    )


def _punctuated(rng: random.Random) -> str:
    return "".join(rng.choice(PUNCTUATION + ENGLISH + SIMPLIFIED) for _ in range(rng.randint(2, 12)))


def _near_the_limit(rng: random.Random) -> str:
    glue, words = rng.choice([(" ", ENGLISH), ("", SIMPLIFIED), ("，", SIMPLIFIED), ("", ENGLISH)])
    return glue.join(rng.choices(words, k=rng.randint(90, 320)))


def _long_texts(rng: random.Random) -> list[str]:
    """Few, for the size of the file: texts far over the token limit, made of repeats that pack well."""
    sentence = " ".join(rng.choices(ENGLISH, k=12)) + ". "
    chinese = "".join(rng.choices(SIMPLIFIED, k=20)) + "。"
    return [
        (sentence * 2000)[:100_000],
        (chinese * 4000)[:100_000],
        "a" * 100_000,
        "哈" * 60_000,
        " " * 100_000,
        " " * 50_000 + "late word",
        "\u0007" * 30_000 + "after controls",
        "\u00a0\t" * 20_000 + "nach dem Leerraum 之后",
        "ab " * 20_000,
        "😀" * 20_000,
        "👨‍👩‍👧‍👦" * 5_000,
        "e\u0301" * 20_000,
        "ﷺ" * 5_000,
        "x" * 4_000 + " " + "y" * 4_000,
        "=" * 20_000,
        ("-" * 300 + "\n") * 100,
        "".join(rng.choices("ACGT", k=9_000)),
        "".join(chr(rng.randint(0x4E00, 0x9FFF)) for _ in range(6_000)),
    ]


_MAKERS: list[tuple[Callable[[random.Random], str], int]] = [
    (_english_sentence, 300),
    (_words(SIMPLIFIED, "", 1, 14), 300),
    (_words(SIMPLIFIED, " ", 1, 8), 60),
    (_words(SIMPLIFIED, "，", 2, 12), 60),
    (_words(TRADITIONAL, "", 1, 10), 100),
    (_words(KANA, "", 1, 8), 100),
    (_words(FULL_WIDTH, "", 1, 6), 60),
    (_words(EMOJI, "", 1, 6), 60),
    (_words(FOREIGN, " ", 1, 8), 80),
    (_mixed, 280),
    (_spaced, 160),
    (_controlled, 100),
    (_combined, 80),
    (_address, 80),
    (_numbers, 100),
    (_code, 40),
    (_any_characters, 160),
    (_one_range, 160),
    (_wide_cjk, 60),
    (_punctuated, 80),
    (_near_the_limit, 40),
]
