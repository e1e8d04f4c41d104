//! Sets of vectors that are built beside the one in use, proved, switched to, and forgotten.

use acceptance::{
    builders::product_line,
    eventually::eventually,
    operator::{Operator, bundle_file, generation_of},
    shop::{PATIENCE, Shop},
    stack::TestStack,
};
use launcher::artifacts::Artifacts;
use reindex::Failure;
use search::{
    bundle::MODEL_ID,
    bundle::{Bundle, Model},
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A product whose title says nothing, and whose description says what it is.
fn riddle(id: &str, title: &str, description: &str) -> Value {
    let mut line = product_line(id, title);
    line["description"] = json!(description);
    line
}

/// The sets that have vectors, with how many.
async fn sets(stack: &TestStack) -> Vec<(String, i64)> {
    sqlx::query_as("SELECT model_id, count(*) FROM embeddings GROUP BY model_id ORDER BY model_id")
        .fetch_all(&stack.read)
        .await
        .expect("counted")
}

async fn by_meaning(shop: &Shop, text: &str, token: &str) -> Vec<String> {
    let found = shop.read(&format!("/v1/search?mode=semantic&limit=3&q={text}"), Some(token)).await;
    assert!(found.fresh, "{found:?}");
    found.titles()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_text_and_another_model_go_live_and_back() {
    // The shipped model's files under another name: another model as far as anybody can tell.
    let folder =
        Artifacts::new(PathBuf::from(std::env::var("SOUK_CACHE_DIR").expect("./souk test sets it"))).model_dir();
    let second = format!("second={}", folder.display());
    let stack = TestStack::start_with(true, |settings| settings.models = vec![second]).await;
    let (shop, operator) = (Shop::open(&stack, "meaning").await, Operator::of(&stack));
    let lines = [
        riddle("a", "Model A", "An electric kettle that boils water for tea"),
        riddle("b", "Model B", "A bicycle with two wheels and a saddle"),
        riddle("c", "Kettle", "Nothing is known of it"),
    ];
    let token = shop.bulk_all("products", &lines).await;
    shop.until_it_embeds().await;
    assert_eq!(by_meaning(&shop, "boil+water+for+tea", &token).await[0], "Model A");

    let mut titles = Bundle { name: "titles".to_owned(), ..Bundle::default() };
    titles.model.text.description = false;
    let built = operator.does(&["build", "--bundle", &bundle_file(&stack, &titles)]).await;
    assert_eq!(sets(&stack).await, [(MODEL_ID.to_owned(), 3), (titles.model.key(), 3)], "side by side");
    assert_eq!(by_meaning(&shop, "boil+water+for+tea", &token).await[0], "Model A", "nobody sees it yet");
    let verified = operator.does(&["verify", &generation_of(&built)]).await;
    assert_eq!(verified["certificate"]["vectors"], json!({"set": titles.model.key(), "documents": 3, "sampled": 3}));
    operator.does(&["promote", &generation_of(&built)]).await;
    assert_eq!(by_meaning(&shop, "boil+water+for+tea", &token).await[0], "Kettle", "descriptions are not read now");

    // What is written now comes to both: the way back loses nothing.
    let later = shop.bulk_all("products", &[riddle("d", "Teapot", "A bicycle pump")]).await;
    assert_eq!(by_meaning(&shop, "pump+for+a+bike", &later).await.len(), 3);
    operator.does(&["rollback"]).await;
    assert_eq!(by_meaning(&shop, "pump+for+a+bike", &later).await[0], "Teapot");

    let named = Bundle {
        name: "second".to_owned(),
        model: Model { id: "second".to_owned(), ..Model::default() },
        ..Bundle::default()
    };
    let built = operator.does(&["build", "--bundle", &bundle_file(&stack, &named)]).await;
    operator.does(&["verify", &generation_of(&built)]).await;
    operator.does(&["promote", &generation_of(&built)]).await;
    assert_eq!(by_meaning(&shop, "boil+water+for+tea", &later).await[0], "Model A");
    operator.does(&["prune", "--keep", "0"]).await;
    eventually("sets that no generation wants are forgotten", PATIENCE, || async {
        let kept = sets(&stack).await;
        if kept == [(named.model.key(), 4)] { Ok(()) } else { Err(format!("{kept:?}")) }
    })
    .await;
    assert_eq!(by_meaning(&shop, "boil+water+for+tea", &later).await[0], "Model A");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_there_harms_nothing() {
    let stack = TestStack::start(true).await;
    let (shop, operator) = (Shop::open(&stack, "nobody").await, Operator::of(&stack));
    let token = shop.bulk_all("products", &[riddle("a", "Kettle", "It boils water")]).await;
    shop.until_it_embeds().await;
    assert_eq!(by_meaning(&shop, "kettle", &token).await, ["Kettle"]);
    let model = Model { id: "nobodys".to_owned(), ..Model::default() };
    let bundle = Bundle { name: "nobodys".to_owned(), model, ..Bundle::default() };
    let refused = operator.run(&["build", "--bundle", &bundle_file(&stack, &bundle)]).await;
    let Err(Failure::Refused(refusal)) = refused else { unreachable!("{refused:?}") };
    assert_eq!(refusal.code, "vectors_failed");
    assert!(refusal.detail.contains("there is no model `nobodys` here; known: all-MiniLM-L6-v2"), "{refusal}");
    assert_eq!(by_meaning(&shop, "kettle", &token).await, ["Kettle"], "the others go on");
    let status = operator.does(&["status"]).await;
    let failed = status["vectors"].as_array().expect("sets").iter().any(|set| set["phase"] == "failed");
    assert!(failed, "{status}");
    let generation = status["generations"][0]["generation"].as_str().expect("the newest").to_owned();
    let refused = operator.run(&["verify", &generation]).await;
    assert!(matches!(&refused, Err(Failure::Refused(refusal)) if refusal.code == "vectors_failed"), "{refused:?}");
    let later = shop.bulk_all("products", &[riddle("b", "Teapot", "It brews tea")]).await;
    assert!(by_meaning(&shop, "teapot", &later).await.contains(&"Teapot".to_owned()));
}

/// How many documents have no vector yet.
async fn waiting(stack: &TestStack) -> i64 {
    sqlx::query_scalar("SELECT (SELECT count(*) FROM documents) - (SELECT count(*) FROM embeddings)")
        .fetch_one(&stack.read)
        .await
        .expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_being_embedded_holds_up_neither_new_texts_nor_a_generation() {
    const IMPORTED: usize = 300;
    let stack = TestStack::start(true).await;
    let (shop, operator) = (Shop::open(&stack, "backlog").await, Operator::of(&stack));
    // A trigger takes down the order in which they are embedded.
    sqlx::raw_sql(
        "CREATE SEQUENCE turns; CREATE TABLE embedded (product_id uuid, turn bigint DEFAULT nextval('turns'));
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
           INSERT INTO public.embedded (product_id) VALUES (NEW.product_id); RETURN NEW; END $$;
         CREATE TRIGGER note AFTER INSERT OR UPDATE ON embeddings FOR EACH ROW EXECUTE FUNCTION note()",
    )
    .execute(&stack.read)
    .await
    .expect("a trigger");
    // Whoever has the table for reading holds what embeds, however fast it is.
    let mut held = stack.read.begin().await.expect("begun");
    sqlx::query("LOCK TABLE embeddings IN SHARE MODE").execute(&mut *held).await.expect("held");
    let line = |id: String, title: String| riddle(&id, &title, "It is made of steel and lasts long.");
    let lines: Vec<Value> = (0..IMPORTED).map(|n| line(format!("p-{n}"), format!("Lamp {n}"))).collect();
    let token = shop.bulk_all("products", &lines).await;
    shop.search("lamp", &token).await;
    let late: Vec<Value> = (0..8).map(|n| line(format!("late-{n}"), format!("Kettle {n}"))).collect();
    let token = shop.bulk_all("products", &late).await;
    shop.search("kettle", &token).await;
    let all = i64::try_from(IMPORTED + late.len()).expect("a count");
    assert_eq!(waiting(&stack).await, all, "none has a vector");
    let next = generation_of(&operator.does(&["build", "--same"]).await);
    operator.does(&["verify", &next]).await;
    operator.does(&["promote", &next]).await;
    assert_eq!(waiting(&stack).await, all, "its vectors are those in use, which nobody waits for");
    held.rollback().await.expect("let go");
    eventually("all have their vectors", 4 * PATIENCE, || async {
        let left = waiting(&stack).await;
        if left == 0 { Ok(()) } else { Err(format!("{left} wait")) }
    })
    .await;
    let (turn, embedded): (i64, i64) = sqlx::query_as(
        "SELECT max(turn) FILTER (WHERE body LIKE '%Kettle %'), count(*) FROM embedded JOIN documents USING (product_id)",
    )
    .fetch_one(&stack.read)
    .await
    .expect("counted");
    assert_eq!(embedded, all, "each text once");
    assert!(turn < 100, "what was written last is not behind the import: {turn}");
}
