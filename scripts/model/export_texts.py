"""The texts and pairs that an export is compared on, and those of them that its golden examples keep."""

TEXTS = [
    "how to renew a passport",
    "Renewing a passport online or by post",
    "怎么办理护照换发",
    "护照到期后如何换新护照，需要哪些材料？",
    "iPhone 15 手机壳 全包防摔 (black, 2件装)",
    "Great trip 😀👍 to 東京 — カフェ・ﾗｰﾒﾝ ½ price!",
    "",
    "The ferry leaves the old harbour at nine and calls at four small islands before it returns.",
    "   spaces   before,  between \t and\nafter   ",
    "a",
    "字",
    "。",
    "Crème brûlée, naïve façade; São Paulo – Łódź",
    "decomposed: cafe\u0301, a\u030angstro\u0308m",
    "ΟΔΟΣ Σίσυφος İstanbul ǅ ß ﬁ",
    "한국어 문장은 이렇게 씁니다.",
    "كتاب عن تاريخ المدينة",
    "हिन्दी में एक वाक्य",
    "全角ＡＢＣ１２３！？　空格",
    "𠮷野家 𠀀𠀁 rare ideographs",
    "control\u0007 and zero\u200bwidth and soft\u00adhyphen",
    "e-mail: a.person@example.org, tel. +49 (0)30 1234-5678, 3.5% & $9.99",
    "https://example.org/path/to?query=string&other=1#part",
    "don't can't it's we'll THEY'VE",
    "snake_case camelCase kebab-case v2.0.1 a/b\\c",
    "x" * 120,
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "1234567890 ١٢٣ 一二三 Ⅳ ④",
    "护照到期后如何换新护照需要哪些材料" * 60,
    "The old harbour is quiet in winter, and the ferry comes twice a day. " * 60,
    "“quotes” ‘single’ «guillemets» 「鉤括弧」 …",
    "花呗怎么还款 and how do I repay it",
]

PAIRS = [
    (TEXTS[0], TEXTS[1]),
    (TEXTS[2], TEXTS[3]),
    (TEXTS[0], TEXTS[5]),
    (TEXTS[2], TEXTS[4]),
    (TEXTS[6], TEXTS[7]),
    (TEXTS[28], TEXTS[3]),
    (TEXTS[29], TEXTS[7]),
    (TEXTS[31], TEXTS[2]),
]

GOLDEN_TEXTS = [*TEXTS[:9], TEXTS[12], TEXTS[13], TEXTS[18], TEXTS[19], TEXTS[28]]
GOLDEN_PAIRS = PAIRS[:4]
