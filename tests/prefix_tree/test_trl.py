"""What is grown is what TRL's trainer takes."""

import json

import pytest
from prefix_tree.generators import Babbler

from ibn.prefix_tree.dataset import DatasetPlan, as_conversations, grow_dataset, write_dataset
from ibn.prefix_tree.growth import Growth
from ibn.prefix_tree.judging import ByScore
from ibn.prefix_tree.prompts import Prompt
from ibn.simulations.validation.tiny import make

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")


@pytest.mark.parametrize(
    ("topology", "messages"), [("tree", False), ("chain", False), ("tree", True)]
)
def test_the_reward_trainer_takes_a_grown_file_as_it_is(tmp_path, topology, messages):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    prompts = [Prompt(f"Say {i}", {}, i + 1) for i in range(4)]
    judge = ByScore(lambda prompt, texts: [float(len(text)) for text in texts])
    plan = DatasetPlan(topology, Growth(depth=2, branching=2, tokens=8), pairs=2)
    dataset = grow_dataset(prompts, Babbler(0.1), judge, plan, tmp_path / "journal")
    if messages:
        dataset = as_conversations(dataset)
    write_dataset(tmp_path / "prefs.jsonl", dataset)
    make(tmp_path / "model", "LlamaForSequenceClassification", num_labels=1)
    read = datasets.load_dataset(
        "json", data_files=str(tmp_path / "prefs.jsonl"), split="train", cache_dir=str(tmp_path)
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    if messages:
        tokenizer.chat_template = (
            "{% for one in messages %}<{{ one.role }}>{{ one.content }}{% endfor %}"
        )
    trainer = trl.RewardTrainer(
        model=AutoModelForSequenceClassification.from_pretrained(tmp_path / "model"),
        processing_class=tokenizer,
        train_dataset=read,
        args=trl.RewardConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=2,
            per_device_train_batch_size=2,
            report_to=[],
            use_cpu=True,
            bf16=False,
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
        ),
    )
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 2
    assert all(json.loads(json.dumps(loss)) > 0 for loss in losses)
