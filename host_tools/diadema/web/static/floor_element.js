/* The thin Vue wrapper that puts the floor module on a NiceGUI page. */

export default {
  // NiceGUI gives the outer element an id of its own
  template: '<div><div id="floor" class="floor" data-mode="ui" ref="floor" tabindex="-1"></div></div>',
  props: { options: Object },
  async mounted() {
    const { mount } = await import("/static/floor.js");
    this.takeDown = mount(this.$refs.floor, { ...this.options, scope: "full" });
    holdPage();
  },
  unmounted() {
    this.takeDown?.();
  },
};

/* NiceGUI reloads a page whose server was restarted. This page needs nothing of that server once it
   is drawn and the floor reconnects by itself, so when NiceGUI's socket is lost it is let go. */
function holdPage() {
  if (!window.socket) {
    setTimeout(holdPage, 50);
    return;
  }
  window.socket.on("disconnect", () => window.socket.disconnect());
}
