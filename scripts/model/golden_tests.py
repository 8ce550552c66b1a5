"""Writes the golden data of the test suite: token ids of many texts, vectors of a few."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from bundle import fingerprint, seven_digits, write_json
from golden_texts import golden_texts
from reference import ReferenceEncoder, reference_tokenizer

VECTOR_TEXTS = [
    "waterproof hiking boots for wide feet",
    "Hiking boots, waterproof, extra wide (men's, size 44)",
    "a",
    "?",
    "What is the difference between a vector and a scalar?",
    "Scalars have only magnitude; vectors have a direction as well.",
    "蓝牙耳机连接不上怎么办",
    "无线耳机无法配对的解决方法",
    "我",
    "臺北車站附近的圖書館幾點開門？",
    "秋天适合去哪里旅游，预算三千元以内，最好能看到红叶。",
    "Python 怎么读取 Excel 文件里的中文列名",
    "OPPO 手机 USB-C 数据线 1.5米 fast charge",
    "【限时优惠】不锈钢保温杯 500ml ￥59.9 包邮",
    "すみません、ｶﾀｶﾅ と ひらがな",
    "🎉🎉 生日快乐 happy birthday 👨‍👩‍👧‍👦",
    "   tabs\tand\nnewlines \u00a0 in   a row ",
    "   ",
    "документ на русском",
    "https://www.example.org/docs/search?q=rerank&page=2",
    "3.14159 2.71828 1.41421",
    "𠮷野家的牛丼",
    "The committee met again in spring to review the plans for the bridge over the river. " * 12,
    "这座桥建于上世纪三十年代，后来经过多次加固和维修。" * 20,
]


def write_tokenizer_ids(bundle: Path, path: Path) -> int:
    """Gzipped JSON lines {text, ids}, no prefix; returns the number of texts. Same bytes each time."""
    tokenizer = reference_tokenizer(bundle)
    texts = golden_texts()
    rows = [json.dumps({"text": text, "ids": tokenizer.ids(text)}, ensure_ascii=True) for text in texts]
    path.write_bytes(gzip.compress(("\n".join(rows) + "\n").encode(), 9, mtime=0))
    return len(texts)


def write_vectors(bundle: Path, path: Path) -> int:
    """JSON {fingerprint, texts: [{text, vector}]}, with the prefix; each text is encoded alone."""
    encoder = ReferenceEncoder(bundle)
    texts = [{"text": text, "vector": seven_digits(encoder.encode([text])[0])} for text in VECTOR_TEXTS]
    write_json(path, {"fingerprint": fingerprint(bundle), "texts": texts})
    return len(texts)
